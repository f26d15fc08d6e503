/** Small durable facts by name; values are JSON. The writes of one key take effect in the order they were made. */
export interface KeyValue {
  get(key: string): unknown;
  /** Resolves once durable. */
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix: string): readonly (readonly [key: string, value: unknown])[];
}
