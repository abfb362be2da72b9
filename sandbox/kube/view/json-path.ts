import { isArray, isObject, type Json, textOf } from '../json.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly string[]; readonly value: string };

const FILTER = /^\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)$/;

/** Reads `.a.b[0].c[?(@.type=="Ready")].status`, `['x']` and `[*]`: what printer columns use. */
function parse(path: string): Step[] {
  const steps: Step[] = [];
  for (const match of path.matchAll(/\.((?:\\.|[^.[\\])+)|\[((?:\?\([^)]*\))|[^\]]*)\]/g)) {
    const name = match[1];
    const inner = match[2] ?? '';
    const filter = FILTER.exec(inner);
    if (name !== undefined)
      steps.push(name === '*' ? { kind: 'all' } : { kind: 'field', name: name.replaceAll('\\', '') });
    else if (inner === '*') steps.push({ kind: 'all' });
    else if (filter !== null)
      steps.push({ kind: 'filter', path: (filter[1] ?? '').split('.'), value: filter[2] ?? '' });
    else if (/^-?\d+$/.test(inner)) steps.push({ kind: 'index', index: Number(inner) });
    else steps.push({ kind: 'field', name: inner.replaceAll(/^['"]|['"]$/g, '') });
  }
  return steps;
}

function take(value: Json, step: Step): Json[] {
  if (step.kind === 'field') {
    const child = isObject(value) ? value[step.name] : undefined;
    return child === undefined ? [] : [child];
  }
  if (step.kind === 'all')
    return isArray(value) ? value : isObject(value) ? Object.values(value).filter((child) => child !== undefined) : [];
  if (!isArray(value)) return [];
  if (step.kind === 'index') return value.slice(step.index, step.index === -1 ? undefined : step.index + 1);
  return value.filter((item) => text(item, step.path) === step.value);
}

function text(value: Json, path: readonly string[]): string | undefined {
  let current: Json | undefined = value;
  for (const name of path) current = isObject(current) ? current[name] : undefined;
  return current === undefined ? undefined : textOf(current);
}

const parsed = new Map<string, Step[]>();

/** All values that a JSON path names in an object. */
export function jsonPath(value: Json, path: string): Json[] {
  const steps = parsed.get(path) ?? parse(path);
  parsed.set(path, steps);
  return steps.reduce<Json[]>((values, step) => values.flatMap((item) => take(item, step)), [value]);
}
