/** A condition on one label. An absent label has the empty value; regular expressions are RE2, fully anchored. */
export interface Matcher {
  readonly name: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}
