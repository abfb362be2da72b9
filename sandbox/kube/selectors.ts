import { asString, at, isObject, type Json, textOf } from './json.ts';
import type { ApiObject } from './objects.ts';
import { badRequest } from './status.ts';

type Requirement =
  | { readonly kind: 'in' | 'notin'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'exists' | 'absent'; readonly key: string };

export type LabelSelector = readonly Requirement[];

/** Splits at commas that stand outside of parentheses. */
function terms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

const list = (text: string): string[] => text.split(',').map((value) => value.trim());

/** Source: apimachinery `labels.Parse`. */
export function parseLabelSelector(text: string): LabelSelector {
  return terms(text).map((term): Requirement => {
    const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
    if (set !== null) return { kind: set[2] === 'in' ? 'in' : 'notin', key: set[1] ?? '', values: list(set[3] ?? '') };
    const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
    if (equality !== null) {
      return { kind: equality[2] === '!=' ? 'notin' : 'in', key: equality[1] ?? '', values: [equality[3] ?? ''] };
    }
    const presence = /^(!?)\s*([A-Za-z0-9./_-]+)$/.exec(term);
    if (presence === null) throw badRequest(`unable to parse requirement: found '${term}'`);
    return { kind: presence[1] === '!' ? 'absent' : 'exists', key: presence[2] ?? '' };
  });
}

export function matchesLabels(
  selector: LabelSelector,
  labels: { readonly [key: string]: string } | undefined,
): boolean {
  return selector.every((requirement) => {
    const value = labels?.[requirement.key];
    if (!('values' in requirement)) return (value !== undefined) === (requirement.kind === 'exists');
    const listed = value !== undefined && requirement.values.includes(value);
    return requirement.kind === 'in' ? listed : !listed;
  });
}

/** The selector of a workload or budget (`matchLabels`, `matchExpressions`) as requirements. */
export function selectorOf(selector: Json | undefined): LabelSelector {
  const requirements: Requirement[] = [];
  const labels = at(selector, 'matchLabels');
  if (isObject(labels)) {
    for (const [key, value] of Object.entries(labels))
      requirements.push({ kind: 'in', key, values: [asString(value)] });
  }
  const expressions = at(selector, 'matchExpressions');
  for (const expression of Array.isArray(expressions) ? expressions : []) {
    const key = asString(at(expression, 'key'));
    const given = at(expression, 'values');
    const values = Array.isArray(given) ? given.map(asString) : [];
    const operator = asString(at(expression, 'operator'));
    if (operator === 'In' || operator === 'NotIn')
      requirements.push({ kind: operator === 'In' ? 'in' : 'notin', key, values });
    else requirements.push({ kind: operator === 'Exists' ? 'exists' : 'absent', key });
  }
  return requirements;
}

type FieldRequirement = { readonly path: readonly string[]; readonly value: string; readonly equal: boolean };
export type FieldSelector = readonly FieldRequirement[];
type Selectable = { readonly selectableFields: readonly string[]; readonly custom?: unknown };

/**
 * Parses a field selector.
 *
 * @param resource its selectable fields come besides metadata.name and metadata.namespace
 * @throws StatusError 400 for a field that the kind doesn't select by
 */
export function parseFieldSelector(text: string, { selectableFields, custom }: Selectable): FieldSelector {
  return terms(text).map((term) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const field = match[1] ?? '';
    if (!['metadata.name', 'metadata.namespace', ...selectableFields].includes(field)) {
      // Two converters, two texts. Source: apimachinery `DefaultMetaV1FieldSelectorConversion`.
      const isPlain = selectableFields.length === 0 && custom === undefined;
      const why = `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
      throw badRequest(isPlain ? why : `field label not supported: ${field}`);
    }
    return { path: field.split('.'), value: match[3] ?? '', equal: match[2] !== '!=' };
  });
}

export const matchesFields = (selector: FieldSelector, object: ApiObject): boolean =>
  selector.every(({ path, value, equal }) => (textOf(at(object, ...path)) === value) === equal);
