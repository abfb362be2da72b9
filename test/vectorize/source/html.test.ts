import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readHtml } from '../../../src/vectorize/source/http/html.ts';
import { parseRobots } from '../../../src/vectorize/source/http/robots.ts';

test('headings, paragraphs, lists, code and tables stay what they are', () => {
  const { markdown, title, links } = readHtml(`<!doctype html>
    <html><head><title>Guide &amp; more</title><style>p { color: red }</style></head>
    <body><nav><a href="/home">Home</a></nav>
    <h1>Install</h1><p>Run   this<br>first &lt;now&gt;:</p>
    <pre><code>npm  ci
npm test</code></pre>
    <ul><li>one</li><li>two <a href='b.html?x=1&amp;y=2'>there</a></li></ul>
    <table><tr><td>a</td><td>b</td></tr></table>
    <script>if (1 < 2) document.write("<p>no</p>")</script></body></html>`);
  assert.equal(title, 'Guide & more');
  assert.deepEqual(links, ['/home', 'b.html?x=1&y=2']);
  const lines = ['# Install', 'Run this\nfirst <now>:', '```\nnpm  ci\nnpm test\n```', '- one\n- two there', '| a | b'];
  for (const line of lines) assert.ok(markdown.includes(line), `${line} in ${markdown}`);
  assert.doesNotMatch(markdown, /Home|color|document/);
});

test('where a page marks its main part, the rest is left out', () => {
  const { markdown, links } = readHtml('<div>menu <a href=x>x</a></div><main><h2>T</h2>text</main><div>end</div>');
  assert.equal(markdown, '## T\n\ntext');
  assert.deepEqual(links, ['x']);
});

test('whatever is given, it ends, and soon', () => {
  const part = fc.constantFrom(
    '<',
    '>',
    '</',
    '<!--',
    '-->',
    '<p',
    '<script>',
    '"',
    'a',
    '&amp;',
    '&#x110000;',
    '<pre>',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      assert.ok(readHtml(parts.join('')).markdown.length <= parts.join('').length * 8 + 16);
    }),
  );
  for (const part of ['<!--', '<script>', '<a href="', '<', '</', '<pre>', '&', '<h1>']) {
    const started = performance.now();
    readHtml(part.repeat(100_000));
    assert.ok(performance.now() - started < 3000, `${part}: ${performance.now() - started} ms`);
  }
});

test('robots are told apart, the longest rule wins, and one that allows wins over one as long', () => {
  const robots = parseRobots(
    `User-agent: *
Disallow: /private
Crawl-delay: 2
User-agent: other
User-agent: qdrant-librarian # us
Disallow: /a
Allow: /a/b
Disallow: /*.pdf$
Allow: /same
Disallow: /same`,
    'qdrant-librarian',
  );
  const told = ['/', '/private', '/a', '/a/b/c', '/x.pdf', '/x.pdf?y', '/same'].map(robots.allows);
  assert.deepEqual(told, [true, true, false, true, false, true, true]);
  assert.equal(robots.delay, 0);
  assert.equal(parseRobots('User-agent: *\nCrawl-delay: 900', 'x').delay, 10_000);
  assert.equal(parseRobots('<html>not found</html>', 'x').allows('/'), true);
});
