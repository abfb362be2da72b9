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
  const lines = [
    '# Install',
    'Run this\nfirst <now>:',
    '```\nnpm  ci\nnpm test\n```',
    '- one\n- two there',
    '| a | b |',
  ];
  for (const line of lines) assert.ok(markdown.includes(line), `${line} in ${markdown}`);
  assert.doesNotMatch(markdown, /Home|color|document/);
});

test('where a page marks its main part, the rest is left out', () => {
  const { markdown, links } = readHtml('<div>menu <a href=x>x</a></div><main><h2>T</h2>text</main><div>end</div>');
  assert.equal(markdown, '## T\n\ntext');
  assert.deepEqual(links, ['x']);
});

test('lists keep their levels, numbers and ticks, code its language, tables their rows', () => {
  const { markdown } = readHtml(`<h2>Steps</h2><ol><li><p>first</p><p>more of it</p><li>second<ul><li>a</ul></ol>
    <ul><li><input type=checkbox checked> done<li><input type="checkbox"> open</ul>
    <div class="highlight highlight-source-ts"><pre class="highlight-source-ts">\nconst a = '\`\`\`';</pre></div>
    <pre><code class="hljs language-go">a := 1\n\nb := 2\n</code></pre>
    <table><thead><tr><th>Key<th>What it<br>does</thead><tr><td>a|b<td><p>one</p><p>two</p></table>
    <table><tr><td><h2>Laid out</h2><p>by a table</p><table><tr><td>inner</table></table>`);
  assert.equal(
    markdown,
    `## Steps

1. first
  more of it
2. second
  - a

- [x] done
- [ ] open

\`\`\`\`ts
const a = '\`\`\`';
\`\`\`\`

\`\`\`go
a := 1

b := 2
\`\`\`

| Key | What it does |
| --- | --- |
| a\\|b | one two |

## Laid out

by a table

| inner |
| --- |`,
  );
});

test('what is malformed is read as a browser reads it', () => {
  const { markdown, title, links, base } = readHtml(
    `<base href=/b/><title>A &#8212; B</title><svg><title>icon</title></svg><p>one<p>two &eacute;&NotEqualTilde;&copy
     <nav><p>menu</nav><b><i>bold</b> rest</i><a href=' x.html '>x<a href="y.html?a=1&amp;b">y</a></p><textarea><p>no</textarea>
     <script>var a = "</p>" + '<h1>no</h1>'</script><!-- no --><h3>End`,
  );
  assert.deepEqual([title, base, links], ['A — B', '/b/', ['x.html', 'y.html?a=1&b']]);
  assert.match(markdown, /^one\n\ntwo é≂̸©\n\nbold restxy/);
  assert.match(markdown, /### End$/);
  assert.doesNotMatch(markdown, /menu|icon|h1/);
});

test('a page that is nested as deep as it is long is read all the same', () => {
  const { markdown } = readHtml(`${'<div><ul><li>'.repeat(30_000)}deep`);
  assert.match(markdown, /deep$/);
  assert.equal(readHtml(`<p>${'<br>'.repeat(200_000)}end`).markdown.length < 300_000, true);
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
