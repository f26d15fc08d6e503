/** One recorded fact. `source` is an event id, a life id or a series; `at` is RFC 3339, UTC. */
export interface Evidence {
  readonly fact: string;
  readonly source: string;
  readonly at: string;
}
