/** A path of the container and the path of the host that holds it. */
export type PathMapping = { readonly containerPath: string; readonly hostPath: string };

/** What may stand before a path for it to be one: not a part of a longer path, URL or word. */
const BEFORE = /[\w./~-]/;
/** What would go on with the last segment of the path. A dot ends a sentence as well as starting an extension. */
const AFTER = /[\w-]|\.\w/y;

function startsPath(text: string, at: number): boolean {
  return at === 0 || !BEFORE.test(text.charAt(at - 1));
}

function endsSegment(text: string, at: number): boolean {
  AFTER.lastIndex = at;
  return !AFTER.test(text);
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** Mappings in the order in which they must be tried: the longest container path first. */
export function longestFirst(mappings: readonly PathMapping[]): PathMapping[] {
  return mappings
    .map(({ containerPath, hostPath }) => ({ containerPath: withoutTrailingSlash(containerPath), hostPath }))
    .toSorted((one, other) => other.containerPath.length - one.containerPath.length);
}

/**
 * Replaces every container path in a text (an env value, an argument, a shell script) by its host path.
 * The longest prefix wins, and only at path boundaries: `/data` never touches `/database` or `/srv/data`.
 *
 * @param mappings as `longestFirst` returns them
 */
export function rewritePaths(text: string, mappings: readonly PathMapping[]): string {
  let rewritten = '';
  let at = 0;
  while (at < text.length) {
    const mapping = text.charAt(at) === '/' && startsPath(text, at) ? mappingAt(text, at, mappings) : undefined;
    rewritten += mapping?.hostPath ?? text.charAt(at);
    at += mapping?.containerPath.length ?? 1;
  }
  return rewritten;
}

function mappingAt(text: string, at: number, mappings: readonly PathMapping[]): PathMapping | undefined {
  return mappings.find(
    ({ containerPath }) => text.startsWith(containerPath, at) && endsSegment(text, at + containerPath.length),
  );
}

/** The host path of one container path; undefined when no mount holds it. */
export function hostPathOf(path: string, mappings: readonly PathMapping[]): string | undefined {
  const mapping = mappings.find(({ containerPath }) => path === containerPath || path.startsWith(`${containerPath}/`));
  return mapping === undefined ? undefined : mapping.hostPath + path.slice(mapping.containerPath.length);
}
