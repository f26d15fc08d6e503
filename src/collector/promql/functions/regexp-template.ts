/** The text of a group, by number or name; empty when there is none. */
export type Submatch = (group: string) => string;

const VARIABLE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/**
 * Replaces `$1`, `${1}`, `$name` and `$$` as Go's `Regexp.Expand` does: a name is as long as it can be, so `$1x` is
 * the group named `1x`; a `$` that starts none of these stays. Source: https://pkg.go.dev/regexp#Regexp.Expand
 */
export function expandTemplate(template: string, submatch: Submatch): string {
  return template.replace(VARIABLE, (all, braced: string | undefined, bare: string | undefined) =>
    all === '$$' ? '$' : submatch(braced ?? bare!),
  );
}
