/**
 * Expands `$(NAME)` in command, args and env values; `$$` is a literal `$`, an unknown name stays as it is written.
 *
 * Source: Kubernetes `third_party/forked/golang/expansion`.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (written, name: string | undefined) => {
    if (name === undefined) return '$';
    return variables.get(name) ?? written;
  });
}
