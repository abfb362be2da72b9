import type { List, ListItem } from 'mdast';
import type { Metadata } from '../document.ts';
import { markdownNode } from './markdown-nodes.ts';
import { inlineText, rangeOf } from './markdown-syntax.ts';
import { slug } from './node.ts';
import type { Outline } from './outline.ts';
import { type References, referencesIn, taskKey } from './task-references.ts';

export type TaskState = 'Open' | 'Done' | 'InProgress' | 'Cancelled';

/** Beyond GFM's two: what Obsidian and Kiro write. */
const STATES: Readonly<Record<string, TaskState>> = {
  ' ': 'Open',
  x: 'Done',
  X: 'Done',
  '/': 'InProgress',
  '~': 'InProgress',
  '-': 'Cancelled',
};
const BOX = /^\[(.)\][ \t]+(?=\S)/;

/** The document, where in it the parsed part begins, and what is made of it. */
export type TaskPlace = { readonly text: string; readonly base: number; readonly outline: Outline };
type Above = { readonly titles: readonly string[]; readonly address: string };

type Item = { readonly title: string; readonly state: TaskState | undefined };

/** Each task of a list becomes a section with its parents and children named; everything else stays where it is. */
export function addTasks(list: List, place: TaskPlace, above?: Above): void {
  for (const item of list.children) addItem(item, place, above ?? { titles: [], address: place.outline.address });
  if (above === undefined) place.outline.begin(place.base + rangeOf(list).end);
}

function addItem(item: ListItem, place: TaskPlace, above: Above): void {
  const { base, outline, text } = place;
  const start = base + rangeOf(item).start;
  const read = readItem(item, place);
  const address = outline.take(`${above.address}/${taskSlug(read)}`);
  const nested = item.children.filter((child): child is List => child.type === 'list' && holdsTask(child, place));
  const children = childTitles(nested, place);
  const title = {
    address: read.state === undefined ? above.address : address,
    context: [...outline.context, ...above.titles],
    metadata: metadataOf(item, read, { place, above, nested, children }),
    ...(children.length === 0 ? {} : { note: `Subtasks: ${children.join('; ')}` }),
  };
  outline.begin(start, title);
  for (const child of item.children) {
    if (child.type === 'list' && nested.includes(child)) {
      addTasks(child, place, { titles: [...above.titles, read.title], address });
      outline.begin(base + rangeOf(child).end, title);
    } else {
      outline.add(markdownNode(child, text, base));
    }
  }
}

const taskSlug = ({ title }: Item): string => `task:${slug(taskKey(title) ?? title)}`;

const readItem = (item: ListItem, place: TaskPlace): Item => {
  const { source, state } = firstLine(item, place);
  return { title: inlineText(source), state };
};

function firstLine(item: ListItem, { text, base }: TaskPlace): { source: string; state: TaskState | undefined } {
  const first = item.children[0];
  if (first === undefined || first.type === 'list') return { source: '', state: undefined };
  const { start, end } = rangeOf(first);
  const line = text.slice(base + start, Math.min(base + end, base + start + 1000)).split('\n')[0] ?? '';
  const box = BOX.exec(line);
  const state = box === null ? undefined : STATES[box[1] ?? ''];
  return { source: state === undefined ? line : line.slice(box?.[0].length ?? 0), state };
}

function holdsTask(list: List, place: TaskPlace): boolean {
  return list.children.some(
    (item) =>
      firstLine(item, place).state !== undefined ||
      item.children.some((child) => child.type === 'list' && holdsTask(child, place)),
  );
}

const MOST_NAMED = 20;

const childTitles = (nested: readonly List[], place: TaskPlace): string[] =>
  nested
    .flatMap((list) => list.children)
    .slice(0, MOST_NAMED)
    .map((item) => readItem(item, place).title);

type Family = {
  readonly place: TaskPlace;
  readonly above: Above;
  readonly nested: readonly List[];
  readonly children: readonly string[];
};

function metadataOf(item: ListItem, { title, state }: Item, { place, above, nested, children }: Family): Metadata {
  const headings = place.outline.context;
  if (state === undefined) return { kind: 'section', headings };
  const key = taskKey(title);
  const own = item.children.filter((child) => !(child.type === 'list' && nested.includes(child)));
  const source = own.map((child) => place.text.slice(...absolute(rangeOf(child), place.base))).join('\n');
  const { dependsOn, references }: References = referencesIn(source, key);
  return {
    kind: 'task',
    headings,
    title,
    state,
    ...(key === undefined ? {} : { key }),
    parents: above.titles,
    children,
    dependsOn,
    references,
  };
}

const absolute = ({ start, end }: { start: number; end: number }, base: number): [number, number] => [
  base + start,
  base + end,
];
