/**
 * Replaces `$(NAME)` by what `lookup` gives; an unknown name stays as it is, `$$` is a literal `$`.
 * Source: kubernetes/third_party/forked/golang/expansion/expand.go
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (lookup(name) ?? whole),
  );
}
