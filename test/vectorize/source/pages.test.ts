import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type PagesOptions, pagesSource } from '../../../src/vectorize/source/http/pages.ts';
import { selectionOf } from '../../../src/vectorize/source/selection.ts';
import { listed, MEGABYTE, never, textOf } from './files.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Site = { readonly url: string; readonly asked: string[] };

const html =
  (body: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body);

async function site(t: TestContext, pages: Readonly<Record<string, Answer>>): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    asked.push(path);
    const answer = pages[path];
    if (answer === undefined) response.writeHead(404).end('none');
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const pages = (t: TestContext, urls: readonly string[], more: Partial<PagesOptions> = {}) => {
  const source = pagesSource({
    urls,
    followLinks: true,
    maxDepth: 3,
    selection: selectionOf([], []),
    maxBytes: MEGABYTE,
    retry: { attempts: 3, baseMilliseconds: 1, capMilliseconds: 2 },
    ...more,
  });
  t.after(() => source.close());
  return source;
};

const short = (url: string, paths: readonly string[]): string[] =>
  paths.map((path) => path.replace(url, '')).toSorted();

test('links are followed below the page that is named, each page once', async (t) => {
  const { url, asked } = await site(t, {
    '/docs/': html(
      '<h1>Docs</h1><a href="a.html#top">a</a><a href="a.html">a</a><a href="/blog/">b</a><a href="http://x/">x</a>',
    ),
    '/docs/a.html': html('<h1>A</h1><a href="./">up</a><a href="deep/b.html">b</a><a href="gone.html">g</a>'),
    '/docs/deep/b.html': html('<h1>B</h1>'),
    '/blog/': html('<h1>Blog</h1>'),
  });
  const source = pages(t, [`${url}/docs/`]);
  const { paths, end } = await listed(source);
  assert.deepEqual(short(url, paths), ['/docs/', '/docs/a.html', '/docs/deep/b.html']);
  assert.deepEqual(end, { complete: true, problems: [] });
  assert.deepEqual(asked, ['/robots.txt', '/docs/', '/docs/a.html', '/docs/deep/b.html', '/docs/gone.html']);
  assert.equal(await textOf(source, `${url}/docs/a.html`), '# A\n\nupbg');
});

test('no deeper than asked, and only what include and exclude leave', async (t) => {
  const { url } = await site(t, {
    '/': html('<a href="/a.html">a</a>'),
    '/a.html': html('<a href="/b.html">b</a><a href="/c.md">c</a>'),
    '/b.html': html('<a href="/d.html">d</a>'),
    '/c.md': (_request, response) => void response.writeHead(200, { 'content-type': 'text/markdown' }).end('# C'),
    '/d.html': html('too deep'),
  });
  const { paths } = await listed(
    pages(t, [`${url}/`], { maxDepth: 2, selection: selectionOf(['**/*.{html,md}'], ['b*']) }),
  );
  assert.deepEqual(short(url, paths), ['/a.html', '/c.md']);
});

test('what robots.txt forbids is not asked for', async (t) => {
  const { url, asked } = await site(t, {
    '/robots.txt': (_request, response) => void response.writeHead(200).end('User-agent: *\nDisallow: /private'),
    '/': html('<a href="/private/x.html">x</a><a href="/y.html">y</a>'),
    '/y.html': html('Y'),
  });
  const { paths } = await listed(pages(t, [`${url}/`]));
  assert.deepEqual(short(url, paths), ['/', '/y.html']);
  assert.ok(!asked.some((path) => path.startsWith('/private')));
});

test('a page that has not changed is not read again', async (t) => {
  const { url } = await site(t, {
    '/a': (request, response) => {
      const same = request.headers['if-none-match'] === '"v1"';
      response
        .writeHead(same ? 304 : 200, { etag: '"v1"', 'content-type': 'text/plain' })
        .end(same ? undefined : 'text');
    },
  });
  const source = pages(t, [`${url}/a`], { followLinks: false });
  const options = { maxBytes: MEGABYTE, signal: never };
  const first = await source.read({ path: `${url}/a` }, options);
  assert.equal(first?.validator, '"v1"');
  assert.equal(await source.read({ path: `${url}/a` }, { ...options, known: '"v1"' }), undefined);
});

test('a site that is busy is asked again when it says; one that stays so makes the listing incomplete', async (t) => {
  let refusals = 2;
  const busy: Answer = (_request, response) => void response.writeHead(503, { 'retry-after': '0' }).end();
  const { url } = await site(t, {
    '/': html('<a href="/busy">b</a><a href="/never">n</a>'),
    '/busy': (request, response) => {
      refusals -= 1;
      (refusals >= 0 ? busy : html('at last'))(request, response);
    },
    '/never': busy,
  });
  const { paths, end } = await listed(pages(t, [`${url}/`]));
  assert.deepEqual(short(url, paths), ['/', '/busy', '/never']);
  assert.equal(end.complete, false);
  assert.match(end.problems[0] ?? '', /\/never: status 503$/);
});

test('a site that is gone, or wants a key, fails the source by name', async (t) => {
  await assert.rejects(pages(t, ['http://127.0.0.1:1/']).list(never), { reason: 'SourceUnreachable' });
  const { url } = await site(t, {
    '/': (request, response) => {
      const allowed = request.headers.authorization === 'Bearer secret';
      response.writeHead(allowed ? 200 : 401, { 'content-type': 'text/html' }).end('in');
    },
  });
  const refused = listed(pages(t, [`${url}/`]));
  await assert.rejects(refused, { reason: 'SourceUnauthorized' });
  assert.equal((await listed(pages(t, [`${url}/`], { authorization: 'Bearer secret' }))).paths.length, 1);
});

test('the key goes nowhere else, and a redirect to another place is no page', async (t) => {
  const keys: (string | undefined)[] = [];
  const other = await site(t, {
    '/': (request, response) => {
      keys.push(request.headers.authorization);
      response.end('other');
    },
  });
  const { url } = await site(t, {
    '/': html('<a href="/away">a</a><a href="/near">n</a>'),
    '/away': (_request, response) => void response.writeHead(302, { location: other.url }).end(),
    '/near': (_request, response) => void response.writeHead(302, { location: '/' }).end(),
  });
  const { paths } = await listed(pages(t, [`${url}/`], { authorization: 'Bearer secret' }));
  assert.deepEqual(short(url, paths), ['/']);
  assert.deepEqual(keys, []);
});

test('what is too large, or no text, is named', async (t) => {
  const { url } = await site(t, {
    '/large': html('x'.repeat(2000)),
    '/image': (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end('x'),
  });
  const source = pages(t, [`${url}/large`, `${url}/image`, `${url}/none`], { followLinks: false });
  const read = (path: string) => source.read({ path: url + path }, { maxBytes: 1000, signal: never });
  await assert.rejects(read('/large'), { reason: 'TooLarge' });
  await assert.rejects(read('/image'), { reason: 'Unreadable', message: /image\/png, no text$/ });
  await assert.rejects(read('/none'), { reason: 'Vanished' });
});
