const RULES: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/"?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"?/g, '<time>'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, '<time>'],
  [/(resourceVersion"?:\s+)"\d+"/gi, '$1<version>'],
  [/(Resource Version:\s+)\d+/g, '$1<version>'],
  [/\b10\.0\.\d+\.\d+\b/g, '<address>'],
  [/https:\/\/127\.0\.0\.1:\d+/g, '<server>'],
  [/\b\d+(s|m|h|d)(\d+(s|m|h))?\b/g, '<age>'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000/g, '<time>'],
  // The temporary files of `kubectl diff`.
  [/\/tmp\/(LIVE|MERGED)-\d+/g, '$1'],
];

/** A real server says this of a Service that was made while its repair of addresses was at work. */
const BY_CHANCE = /ClusterIPNotAllocated/;
const NO_EVENTS_LEFT = /^Events:\n *Type +Reason.*\n[ -]+$(?!\n {2}\S)/gm;

/** What kubectl prints without what differs from one run to the next. Columns are as wide as what stands in them. */
export function normalText(text: string): string {
  const replaced = RULES.reduce((current, [form, word]) => current.replaceAll(form, word), text);
  return replaced
    .split('\n')
    .filter((line) => !BY_CHANCE.test(line))
    .map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())
    .join('\n')
    .replaceAll(NO_EVENTS_LEFT, 'Events:  <none>');
}
