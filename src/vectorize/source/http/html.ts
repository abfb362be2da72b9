import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { Lines } from './lines.ts';

export type Page = {
  readonly title: string | undefined;
  /** Its text as Markdown: headings, lists, code, tables, paragraphs. */
  readonly markdown: string;
  /** Targets of its links, as they stand there. */
  readonly links: readonly string[];
  /** `href` of `<base>`. */
  readonly base: string | undefined;
};

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/** What is in these is no text. */
const SILENT = new Set('script style noscript template svg nav footer iframe head select'.split(' '));
const BLOCKS = new Set(
  'address article aside blockquote dd details div dl dt fieldset figcaption figure form header hr main ol p section summary table tr ul'.split(
    ' ',
  ),
);
/** A table with one of these in a cell arranges the page and holds no data. */
const LARGE = new Set('table pre ul ol dl blockquote h1 h2 h3 h4 h5 h6'.split(' '));
const HEADING = /^h([1-6])$/;

/**
 * The text of an HTML page, as far as it is for readers: navigation and scripts are left out; where the page marks its
 * main part, all outside of it. Malformed markup is read as browsers read it. What scripts would add is not there.
 */
export function readHtml(html: string): Page {
  const outline = outlineOf(parse(html));
  const { title, base, links, mains, body } = outline;
  const main = mains.length === 0 ? '' : render(mains, outline);
  return { title, base, links, markdown: main === '' && body !== undefined ? render([body], outline) : main };
}

type Outline = {
  title: string | undefined;
  base: string | undefined;
  body: Element | undefined;
  readonly links: string[];
  /** Parts that are marked as what the page is about; none is inside of another. */
  readonly mains: Element[];
  readonly arranging: Set<Element>;
};

type Place = { readonly node: Node; readonly table: Element | undefined; readonly inMain: boolean };

/** Without recursion: a page may be nested as deep as it is long. */
function outlineOf(document: Node): Outline {
  const outline: Outline = {
    title: undefined,
    base: undefined,
    body: undefined,
    links: [],
    mains: [],
    arranging: new Set(),
  };
  const open: Place[] = [{ node: document, table: undefined, inMain: false }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { node } = place;
    const inside = isElement(node) ? noted(node, place, outline) : place;
    for (const child of childrenOf(node).toReversed()) open.push({ ...inside, node: child });
  }
  return outline;
}

function noted(element: Element, { table, inMain }: Place, outline: Outline): Omit<Place, 'node'> {
  const { tagName } = element;
  const href = attributeOf(element, 'href')?.trim();
  if (tagName === 'a' && href !== undefined) outline.links.push(href);
  if (tagName === 'base') outline.base ??= href;
  if (tagName === 'body') outline.body ??= element;
  // An SVG has titles, too.
  if (tagName === 'title' && parentName(element) === 'head') outline.title ??= collapsed(textOf(element)) || undefined;
  if (table !== undefined && LARGE.has(tagName)) outline.arranging.add(table);
  const main = tagName === 'main' || tagName === 'article' || attributeOf(element, 'role') === 'main';
  if (main && !inMain) outline.mains.push(element);
  return { table: tagName === 'table' ? element : table, inMain: inMain || main };
}

type Step = { readonly node: Node; readonly leave?: boolean };

function render(roots: readonly Element[], { arranging }: Outline): string {
  const lines = new Lines();
  const numbers = new Map<Node, number>();
  const open: Step[] = roots.toReversed().map((node) => ({ node }));
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { node, leave = false } = step;
    if (node.nodeName === '#text' && 'value' in node) lines.write(collapsed(node.value, true));
    if (!isElement(node)) continue;
    const { tagName } = node;
    const cell = (tagName === 'td' || tagName === 'th') && !arranging.has(tableOf(node));
    if (leave) {
      if (cell) lines.endCell();
      else if (tagName === 'tr') lines.endRow();
      else if (tagName === 'ul' || tagName === 'ol') lines.endList();
      if (isBlock(tagName) && tagName !== 'tr') lines.gap();
      continue;
    }
    if (SILENT.has(tagName)) continue;
    if (tagName === 'pre') {
      lines.fence(textOf(node), languageOf(node));
      continue;
    }
    enter(node, lines, numbers);
    if (cell) lines.beginCell();
    open.push({ node, leave: true });
    for (const child of childrenOf(node).toReversed()) open.push({ node: child });
  }
  return lines.toString();
}

function enter(element: Element, lines: Lines, numbers: Map<Node, number>): void {
  const { tagName, parentNode } = element;
  const heading = HEADING.exec(tagName)?.[1];
  if (tagName === 'br') lines.newLine();
  else if (tagName === 'tr') lines.newLine();
  else if (tagName === 'table') lines.beginTable();
  else if (tagName === 'ul' || tagName === 'ol') lines.beginList();
  else if (tagName === 'li') {
    const number = 1 + ((parentNode && numbers.get(parentNode)) ?? 0);
    if (parentNode !== null) numbers.set(parentNode, number);
    lines.item(parentName(element) === 'ol' ? `${number}. ` : '- ');
  } else if (tagName === 'input' && attributeOf(element, 'type') === 'checkbox' && parentName(element) === 'li') {
    lines.write(attributeOf(element, 'checked') === undefined ? '[ ] ' : '[x] ');
  } else if (heading !== undefined) {
    lines.gap();
    lines.write(`${'#'.repeat(Number(heading))} `);
  } else if (isBlock(tagName)) lines.gap();
}

const isBlock = (name: string): boolean => BLOCKS.has(name) || HEADING.test(name);
const isElement = (node: Node): node is Element => 'tagName' in node;
const childrenOf = (node: Node): readonly Node[] => ('childNodes' in node ? node.childNodes : []);
const attributeOf = ({ attrs }: Element, name: string): string | undefined =>
  attrs.find((attribute) => attribute.name === name)?.value;
const parentName = ({ parentNode }: Element): string | undefined => parentNode?.nodeName;

/** Of a cell: the parser puts nothing but rows and groups of rows between. */
function tableOf(cell: Element): Element {
  let at: Node | null = cell;
  while (at !== null && isElement(at) && at.tagName !== 'table') at = at.parentNode;
  return at !== null && isElement(at) ? at : cell;
}

function textOf(element: Element): string {
  const parts: string[] = [];
  const open: Node[] = [element];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.nodeName === '#text' && 'value' in node) parts.push(node.value);
    if (node.nodeName === 'br') parts.push('\n');
    for (const child of childrenOf(node).toReversed()) open.push(child);
  }
  return parts.join('');
}

/** As highlighters mark it: `language-ts`, `lang-ts` or `highlight-source-ts`, at the block or its first element. */
function languageOf(pre: Element): string {
  const inner = pre.childNodes.find(isElement);
  const classes = [pre, ...(inner === undefined ? [] : [inner])].map((element) => attributeOf(element, 'class') ?? '');
  return /(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes.join(' '))?.[1] ?? '';
}

/** White space as a browser shows it. */
const collapsed = (text: string, ends = false): string => {
  const one = text.replace(/[^\S\u00a0]+/g, ' ');
  return ends ? one : one.trim();
};
