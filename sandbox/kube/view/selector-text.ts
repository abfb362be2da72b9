import { asArray, asObject, asString, asStrings, at, type Json } from '../json.ts';

/** A label selector in the text form of `status.selector` and of kubectl. */
export function selectorText(selector: Json | undefined): string {
  if (typeof selector === 'string') return selector;
  const labels = Object.entries(asObject(at(selector, 'matchLabels'))).map(
    ([key, value]) => `${key}=${asString(value)}`,
  );
  const expressions = asArray(at(selector, 'matchExpressions')).map((expression) => {
    const key = asString(at(expression, 'key'));
    const operator = asString(at(expression, 'operator'));
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${asStrings(at(expression, 'values')).join(',')})`;
  });
  return [...labels.sort(), ...expressions].join(',');
}
