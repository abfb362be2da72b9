import { decodeEntities } from './entities.ts';

export type Page = {
  readonly title: string | undefined;
  /** Its text as Markdown: headings, lists, code, paragraphs. */
  readonly markdown: string;
  /** Targets of its links, as they stand there. */
  readonly links: readonly string[];
  /** `href` of `<base>`. */
  readonly base: string | undefined;
};

/** What is in these is no text. */
const SILENT = new Set(['script', 'style', 'noscript', 'template', 'svg', 'nav', 'footer', 'iframe', 'head']);
/** Their content is no markup either. */
const RAW = new Set(['script', 'style', 'textarea', 'title']);
const BLOCKS = new Set(
  'address article aside blockquote dd details div dl dt fieldset figure footer form header hr main nav ol p section summary table tbody thead tr ul'.split(
    ' ',
  ),
);
const VOID = new Set(['br', 'hr', 'img', 'input', 'link', 'meta', 'base', 'source', 'wbr', 'col', 'area', 'embed']);

/**
 * The text of an HTML page, as far as it is for readers: navigation, scripts and forms are left out; where the page
 * marks its main part, all outside of it. Not a browser's parser: what is malformed gives odd text, never an error.
 */
export function readHtml(html: string): Page {
  const reader = new Reader();
  scan(html, reader);
  return reader.page();
}

type Handler = {
  readonly text: (text: string) => void;
  readonly open: (name: string, attributes: string) => void;
  readonly close: (name: string) => void;
};

/** Tags and texts in their order, each character looked at once. */
function scan(html: string, handler: Handler): void {
  const small = html.toLowerCase();
  for (let at = 0; at < html.length; ) {
    const tag = html.indexOf('<', at);
    if (tag === -1) {
      handler.text(html.slice(at));
      return;
    }
    if (tag > at) handler.text(html.slice(at, tag));
    if (html.startsWith('<!--', tag)) {
      at = after(html, '-->', tag + 4);
      continue;
    }
    const next = html[tag + 1] ?? '';
    if (!/[A-Za-z/!?]/.test(next)) {
      handler.text('<');
      at = tag + 1;
      continue;
    }
    at = after(html, '>', tag);
    const [, slash, name = '', attributes = ''] = /^<(\/?)([A-Za-z][^\s/>]*)([\s\S]*)$/.exec(html.slice(tag, at)) ?? [];
    const lower = name.toLowerCase();
    if (name === '') continue;
    if (slash === '/') {
      handler.close(lower);
      continue;
    }
    handler.open(lower, attributes);
    if (!RAW.has(lower)) continue;
    const end = small.indexOf(`</${lower}`, at);
    const stop = end === -1 ? html.length : end;
    handler.text(html.slice(at, stop));
    at = stop;
  }
}

const after = (html: string, mark: string, from: number): number => {
  const found = html.indexOf(mark, from);
  return found === -1 ? html.length : found + mark.length;
};

class Reader implements Handler {
  #all = '';
  #main = '';
  #inMain = 0;
  #silent: string[] = [];
  #pre = 0;
  #title: string | undefined;
  #inTitle = false;
  #base: string | undefined;
  readonly #links: string[] = [];

  readonly text = (text: string): void => {
    const decoded = decodeEntities(text);
    if (this.#inTitle) this.#title ??= decoded.replace(/\s+/g, ' ').trim();
    if (this.#silent.length > 0 || this.#inTitle) return;
    this.#write(this.#pre > 0 ? decoded : decoded.replace(/\s+/g, ' '));
  };

  readonly open = (name: string, attributes: string): void => {
    const href = name === 'a' || name === 'base' ? hrefOf(attributes) : undefined;
    if (name === 'a' && href !== undefined) this.#links.push(href);
    if (name === 'base') this.#base ??= href;
    if (name === 'title' && this.#title === undefined) this.#inTitle = true;
    // Whatever was left open before it.
    if (name === 'body') this.#silent = [];
    if (SILENT.has(name) && !attributes.endsWith('/>')) this.#silent.push(name);
    if (this.#silent.length > 0 || VOID.has(name)) {
      if (name === 'br') this.#write('\n');
      return;
    }
    if (name === 'main' || name === 'article') this.#inMain += 1;
    if (/^h[1-6]$/.test(name)) this.#write(`\n\n${'#'.repeat(Number(name[1]))} `);
    else if (name === 'li') this.#write('\n- ');
    else if (name === 'pre') {
      this.#pre += 1;
      this.#write('\n\n```\n');
    } else if (name === 'td' || name === 'th') this.#write(' | ');
    else if (BLOCKS.has(name)) this.#write('\n\n');
  };

  readonly close = (name: string): void => {
    if (name === 'title') this.#inTitle = false;
    const silent = this.#silent.lastIndexOf(name);
    if (silent !== -1) {
      this.#silent = this.#silent.slice(0, silent);
      return;
    }
    if (this.#silent.length > 0) return;
    if (name === 'pre' && this.#pre > 0) {
      this.#pre -= 1;
      this.#write('\n```\n\n');
    } else if (/^h[1-6]$/.test(name) || BLOCKS.has(name)) this.#write('\n\n');
    if (name === 'main' || name === 'article') this.#inMain = Math.max(0, this.#inMain - 1);
  };

  page(): Page {
    const text = this.#main.trim() === '' ? this.#all : this.#main;
    const markdown = text
      .split(/(\n```\n[\s\S]*?\n```\n)/)
      .map((part, index) => (index % 2 === 1 ? part : tidy(part)))
      .join('')
      .trim();
    return { title: this.#title || undefined, markdown, links: this.#links, base: this.#base };
  }

  #write(text: string): void {
    this.#all += text;
    if (this.#inMain > 0) this.#main += text;
  }
}

const tidy = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n');

const HREF = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

function hrefOf(attributes: string): string | undefined {
  const [, double, single, bare] = HREF.exec(attributes) ?? [];
  const value = double ?? single ?? bare;
  return value === undefined ? undefined : decodeEntities(value).trim();
}
