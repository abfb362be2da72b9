export type References = {
  /** Keys of tasks that come first by what the text says: `depends on T001`, `blocked by #12`. */
  readonly dependsOn: readonly string[];
  /** Keys and link targets that it names besides. */
  readonly references: readonly string[];
};

const KEY = '(?:[A-Z][A-Z0-9]{0,15}-\\d{1,9}|[A-Z]\\d{2,9}|#\\d{1,9}|\\d{1,4}(?:\\.\\d{1,4}){1,5})';
const LEADING = new RegExp(`^\\(?(${KEY}|\\d{1,4}(?=[.)]))[.):]?(?=\\s|$)`);
const NAMED = new RegExp(`(?<![\\w.#])${KEY}(?![\\w]|\\.\\d)`, 'g');
const DEPENDENCY = /\b(?:depends on|dependencies|blocked by|requires|after|needs)\b[:\s]{1,4}([^\n;]{1,300})/gi;
const PLAIN = new RegExp(`^[\\s,&]{0,4}(?:and\\s{1,4})?(${KEY}|\\d{1,4}(?![\\w.]))`);
const LINK = /\[[^\]\n]{0,200}\]\(([^)\s]{1,500})\)|\[\[([^\]\n]{1,200})\]\]/g;
const LONGEST = 16 * 1024;
const MOST = 64;

/** What a task calls itself at its beginning: `T001`, `API-12`, `#7`, `1.2`. */
export const taskKey = (title: string): string | undefined => LEADING.exec(title)?.[1];

/** @param own the task's own key, which it does not refer to */
export function referencesIn(source: string, own: string | undefined): References {
  const text = source.slice(0, LONGEST);
  const dependsOn = new Set([...text.matchAll(DEPENDENCY)].flatMap((match) => listed(match[1] ?? '')));
  const links = [...text.matchAll(LINK)].map((match) => match[1] ?? match[2] ?? '');
  const named = [...text.matchAll(NAMED)].map(([key]) => key);
  const references = new Set([...named, ...links].filter((key) => key !== own && !dependsOn.has(key)));
  if (own !== undefined) dependsOn.delete(own);
  return { dependsOn: [...dependsOn].slice(0, MOST), references: [...references].slice(0, MOST) };
}

/** Keys at the start of a text, with commas or `and` between them. */
function listed(text: string): string[] {
  const keys: string[] = [];
  for (let rest = text; ; ) {
    const match = PLAIN.exec(rest);
    if (match === null) return keys;
    keys.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
}
