import type { Source } from './sources.ts';

/** One way around for each file that is found to need itself: `a -> b -> a`. */
export function circles(all: readonly Source[]): string[] {
  const files = new Map(all.map((source) => [source.path, source.imports]));
  const finished = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    for (const target of files.get(path) ?? []) if (files.has(target)) visit(target, [...way, path]);
    finished.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return found;
}
