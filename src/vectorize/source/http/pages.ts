import { setTimeout as sleep } from 'node:timers/promises';
import type { Selection } from '../selection.ts';
import {
  type Content,
  type Entry,
  entriesOf,
  type Listing,
  Problems,
  ReadError,
  type ReadOptions,
  type Source,
  SourceError,
} from '../source.ts';
import { AGENT, FetchError, type Fetched, Fetcher, type FetcherOptions } from './fetch.ts';
import { readHtml } from './html.ts';
import { parseRobots, type Robots } from './robots.ts';

export type PagesOptions = Pick<FetcherOptions, 'authorization' | 'retry'> & {
  readonly urls: readonly string[];
  readonly followLinks: boolean;
  /** Links deep. */
  readonly maxDepth: number;
  readonly selection: Selection;
  /** Most bytes of a page that is read for its links. */
  readonly maxBytes: number;
};

/** More are no documentation but a trap. */
const MOST_PAGES = 20_000;
const ROBOTS_BYTES = 1024 * 1024;
/** A tree takes up to a hundred times as much. */
const MOST_HTML = 4 * 1024 * 1024;

/** Pages by HTTP, named by their URLs; with links followed as long as they lead below a page that is named. */
export function pagesSource(options: PagesOptions): Source {
  const roots = options.urls.map((url) => withoutHash(new URL(url)));
  const origins = new Set(roots.map(({ origin }) => origin));
  const fetcher = new Fetcher({ ...options, origins });
  return {
    list: (signal) =>
      options.followLinks ? crawl({ ...options, roots, fetcher, signal }) : named(roots, options.selection),
    read: (entry, reading) => readPage(fetcher, entry, reading),
    close: () => fetcher.close(),
  };
}

async function named(roots: readonly URL[], selection: Selection): Promise<Listing> {
  const wanted = new Set(roots.filter((url) => selection.wants(nameOf(url))).map(({ href }) => href));
  const problems = new Problems();
  return { entries: entriesOf([...wanted].map((path) => ({ path }))), total: wanted.size, end: () => problems.end() };
}

async function readPage(fetcher: Fetcher, entry: Entry, options: ReadOptions): Promise<Content | undefined> {
  const { path, content, failure } = entry;
  if (failure !== undefined) throw failure;
  if (content !== undefined) return content;
  try {
    const fetched = await fetcher.get(new URL(path), { ...options, etag: options.known });
    if (fetched.status === 304 && options.known !== undefined) return undefined;
    const read = pageOf(fetched, options.maxBytes);
    if (read instanceof ReadError) throw read;
    return read.content;
  } catch (error) {
    throw error instanceof FetchError ? new ReadError('Unreadable', error.message) : error;
  }
}

type Crawl = PagesOptions & {
  readonly roots: readonly URL[];
  readonly fetcher: Fetcher;
  readonly signal: AbortSignal;
};
type Step = { readonly url: URL; readonly depth: number; readonly root: URL };

async function crawl(options: Crawl): Promise<Listing> {
  const problems = new Problems();
  const robots = new Map<string, Robots>();
  for (const { origin } of options.roots) {
    if (!robots.has(origin)) robots.set(origin, await robotsOf(origin, options));
  }
  return { entries: pagesBelow(options, robots, problems), end: () => problems.end() };
}

/** @throws SourceError for a site that doesn't answer: nobody knows what it allows */
async function robotsOf(origin: string, { fetcher, signal }: Crawl): Promise<Robots> {
  try {
    const { status, body } = await fetcher.get(new URL('/robots.txt', origin), { maxBytes: ROBOTS_BYTES, signal });
    const text = status === 200 && body !== undefined ? Buffer.from(body).toString('utf8') : '';
    return parseRobots(text, AGENT);
  } catch (error) {
    throw error instanceof FetchError ? new SourceError('SourceUnreachable', error.message) : error;
  }
}

async function* pagesBelow(
  options: Crawl,
  robots: ReadonlyMap<string, Robots>,
  problems: Problems,
): AsyncGenerator<Entry, void, undefined> {
  const { roots, maxDepth, selection, signal } = options;
  const queue: Step[] = roots.map((root) => ({ url: root, depth: 0, root }));
  const known = new Set(queue.map(({ url }) => url.href));
  const told = new Set<string>();
  for (let at = 0; at < queue.length; at += 1) {
    const step = queue[at];
    if (step === undefined) return;
    const rules = robots.get(step.url.origin);
    if (rules?.allows(step.url.pathname + step.url.search) === false) continue;
    if (at > 0 && (rules?.delay ?? 0) > 0) await sleep(rules?.delay, undefined, { signal });
    const page = await visit(step, options, problems);
    if (page === undefined) continue;
    const { url, links, ...entry } = page;
    // Two links may lead to one page.
    if (!told.has(url.href) && selection.wants(nameOf(url))) yield { ...entry, path: url.href };
    told.add(url.href);
    for (const link of step.depth < maxDepth ? links : []) {
      if (known.has(link.href) || !isBelow(link, step.root)) continue;
      if (known.size >= MOST_PAGES) {
        problems.add(`more than ${MOST_PAGES} pages: the others were not looked at`);
        return;
      }
      known.add(link.href);
      queue.push({ url: link, depth: step.depth + 1, root: step.root });
    }
  }
}

type Visited = Omit<Entry, 'path'> & { readonly url: URL; readonly links: readonly URL[] };

/** @returns undefined for a link that leads to nothing readable */
async function visit({ url, depth, root }: Step, crawling: Crawl, problems: Problems): Promise<Visited | undefined> {
  const { fetcher, signal, maxBytes } = crawling;
  let fetched: Fetched;
  try {
    fetched = await fetcher.get(url, { maxBytes, signal });
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    problems.add(error.message);
    return { url, links: [], failure: new ReadError('Unreadable', error.message) };
  }
  const { status } = fetched;
  if (depth === 0 && (status === 401 || status === 403)) {
    throw new SourceError('SourceUnauthorized', `${url.host}${url.pathname}: status ${status}`);
  }
  const end = withoutHash(fetched.url);
  if (depth > 0 && (status !== 200 || !isBelow(end, root))) return undefined;
  const read = pageOf(fetched, maxBytes);
  if (!(read instanceof ReadError)) return { url: end, ...read };
  // A link may well lead to a picture; a page that is named must be one.
  return depth > 0 && read.reason !== 'TooLarge' ? undefined : { url, links: [], failure: read };
}

type Read = { readonly content: Content; readonly links: readonly URL[] };

function pageOf({ status, url, mediaType, etag, body }: Fetched, maxBytes: number): Read | ReadError {
  const where = `${url.host}${url.pathname}`;
  if (status === 404 || status === 410) return new ReadError('Vanished', `${where}: status ${status}`);
  if (status !== 200) return new ReadError('Unreadable', `${where}: status ${status}`);
  if (body === undefined) return new ReadError('TooLarge', `${where} has more than ${maxBytes} bytes`);
  const type = mediaType?.split(';')[0]?.trim().toLowerCase() ?? 'text/html';
  const told = etag === undefined ? {} : { validator: etag };
  if (type !== 'text/html' && type !== 'application/xhtml+xml') {
    if (!/^text\/|[/+](?:json|yaml|xml|sql|javascript|x-sh)$/.test(type)) {
      return new ReadError('Unreadable', `${where} is ${type}, no text`);
    }
    return { content: { bytes: body, mediaType: type, ...told }, links: [] };
  }
  if (body.length > MOST_HTML) return new ReadError('TooLarge', `${where} has more than ${MOST_HTML} bytes of HTML`);
  const { title, markdown, links, base } = readHtml(decoded(body, mediaType));
  const from = base !== undefined && URL.canParse(base, url.href) ? new URL(base, url) : url;
  const found = links.flatMap((link) => (URL.canParse(link, from.href) ? [withoutHash(new URL(link, from))] : []));
  const payload = title === undefined ? {} : { payload: { title } };
  return { content: { bytes: Buffer.from(markdown), mediaType: 'text/markdown', ...told, ...payload }, links: found };
}

/** By the charset that is told; what isn't known is read as UTF-8. */
function decoded(body: Uint8Array, mediaType = ''): string {
  const [, charset = 'utf-8'] = /charset\s*=\s*"?([\w-]+)/i.exec(mediaType) ?? [];
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

/** Of the same origin, in the root's directory or below. */
function isBelow(url: URL, root: URL): boolean {
  const directory = root.pathname.slice(0, root.pathname.lastIndexOf('/') + 1);
  return url.origin === root.origin && url.pathname.startsWith(directory);
}

/** What include and exclude are about. */
const nameOf = ({ pathname }: URL): string => pathname.slice(1);

function withoutHash(url: URL): URL {
  const bare = new URL(url);
  bare.hash = '';
  return bare;
}
