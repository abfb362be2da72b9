import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsOf, manifestOf } from '../../e2e/stage/guide-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Who runs the commands of a page. */
const RUN_BY: Readonly<Record<string, string>> = {
  'discovery.md': 'e2e/scenarios/guides.test.ts',
  'gateway.md': 'test/gateway/clients.test.ts',
  'moving.md': 'e2e/scenarios/guides.test.ts',
  'rebalance.md': 'e2e/scenarios/rebalance.test.ts',
  'search.md': 'test/gateway/search.test.ts',
  'snapshots.md': 'e2e/scenarios/snapshots-guide.test.ts',
  'vectorizing.md': 'e2e/scenarios/vectorizing-guide.test.ts',
};

/** Pages that are no guides: who runs what they show, or why nobody does. */
const NO_GUIDES: Readonly<Record<string, string>> = {
  'benchmarks.md': 'its runs take minutes, and CI makes them',
  'develop.md': 'npm test, the sandbox and the checks are what it tells of',
  'failure-modes.md': 'e2e/scenarios/volumes.test.ts founds a cluster anew by the same annotation',
  'kinds.md': 'each line stands in a guide, or is an annotation that a scenario sets',
  'operate.md': 'images, charts and manifests are built and installed by test/packaging and by the grounds',
  'predicates.md': 'an annotation that test/library and test/cluster set',
  'testing.md': 'it tells how this is run',
};

const hasCommands = (page: string): boolean => commandsOf(read(`docs/${page}`)).length > 0;

test('every page of docs/ that shows commands is run by a test, or says here why not', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && hasCommands(name));
  const known = Object.keys(RUN_BY).filter((page) => page !== 'gateway.md');
  assert.deepEqual(pages.toSorted(), [...known, ...Object.keys(NO_GUIDES)].toSorted());
  for (const [page, file] of Object.entries(RUN_BY)) assert.ok(read(file).includes(page), `${file} opens ${page}`);
});

test('the commands of a page are its indented lines and its blocks for a shell, in their order', () => {
  const page = [
    'Text:',
    '',
    '    kubectl get one',
    '',
    '```yaml',
    '    not: this',
    '```',
    '```sh',
    '# a comment',
    'curl here \\',
    '  -d \'{"a": 1,',
    '       "b": 2}\'',
    'kubectl get two',
    '```',
  ];
  assert.deepEqual(commandsOf(page.join('\n')), [
    'kubectl get one',
    'curl here \\\n  -d \'{"a": 1,\n       "b": 2}\'',
    'kubectl get two',
  ]);
  assert.throws(() => commandsOf('```sh\nkubectl get pods\n'), /no end/);
});

test('what a reader is told to save is the block that follows', () => {
  const page =
    'Save this as `one.yaml`, please:\n\n```yaml\na: 1\n```\n\nSave this as `two.yaml`:\n\n```yaml\nb: 2\n```\n';
  assert.equal(manifestOf(page, 'one.yaml'), 'a: 1\n');
  assert.equal(manifestOf(page, 'two.yaml'), 'b: 2\n');
  assert.throws(() => manifestOf(page, 'three.yaml'), /no block for three\.yaml/);
});
