/** What a site asks of robots. */
export type Robots = {
  readonly allows: (pathAndQuery: string) => boolean;
  /** Milliseconds between two requests. */
  readonly delay: number;
};

type Rule = { readonly allow: boolean; readonly pattern: string };
type Group = { readonly agents: string[]; readonly rules: Rule[]; delay: number };

const MOST_CHARACTERS = 500_000;
const MOST_DELAY_SECONDS = 10;

/** Source: RFC 9309; `Crawl-delay` as its common extension. @param agent our product token */
export function parseRobots(text: string, agent: string): Robots {
  const groups = groupsOf(text.slice(0, MOST_CHARACTERS));
  const ours = groups.filter(({ agents }) => agents.includes(agent.toLowerCase()));
  const chosen = ours.length > 0 ? ours : groups.filter(({ agents }) => agents.includes('*'));
  const rules = chosen.flatMap((group) => group.rules);
  return {
    allows: (path) => {
      let best: Rule | undefined;
      for (const rule of rules) {
        if (!matches(rule.pattern, path)) continue;
        const longer = rule.pattern.length - (best?.pattern.length ?? -1);
        // The longest wins, and of two as long the one that allows.
        if (longer > 0 || (longer === 0 && rule.allow)) best = rule;
      }
      return best?.allow ?? true;
    },
    delay: Math.min(MOST_DELAY_SECONDS, Math.max(0, ...chosen.map(({ delay }) => delay))) * 1000,
  };
}

function groupsOf(text: string): Group[] {
  const groups: Group[] = [];
  let naming = false;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, name = '', value = ''] = /^\s*([A-Za-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === 'user-agent') {
      if (!naming) groups.push({ agents: [], rules: [], delay: 0 });
      groups.at(-1)?.agents.push(value.toLowerCase());
      naming = true;
      continue;
    }
    const group = groups.at(-1);
    if (key === '' || group === undefined) continue;
    naming = false;
    // An empty rule says nothing.
    if ((key === 'allow' || key === 'disallow') && value !== '')
      group.rules.push({ allow: key === 'allow', pattern: value });
    if (key === 'crawl-delay') group.delay = Math.max(0, Number(value) || 0);
  }
  return groups;
}

/** `*` is anything, `$` at the end is the end. Without backtracking. */
function matches(pattern: string, path: string): boolean {
  const ends = pattern.endsWith('$');
  const [first = '', ...parts] = (ends ? pattern.slice(0, -1) : pattern).split('*');
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [index, part] of parts.entries()) {
    const last = ends && index === parts.length - 1;
    const found = last ? path.length - part.length : path.indexOf(part, at);
    if (found < at || !path.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return !ends || at === path.length;
}
