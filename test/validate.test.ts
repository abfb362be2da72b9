import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { checkManifests, type Problem, type Report, runValidate } from '../src/validate.ts';

const HEAD = 'apiVersion: qdrant-librarian.io/v1alpha1\nkind: QdrantCluster\n';
const GOOD = `${HEAD}metadata:\n  name: docs\nspec:\n  version: 1.18.3\n  size: 3\n`;

const check = (text: string): Report => checkManifests([{ file: 'a.yaml', text }]);
const places = ({ problems }: { problems: readonly Problem[] }) =>
  problems.map(({ line, field }) => `${line} ${field}`);

/** A folder with files that goes when the test ends. */
async function folder(t: TestContext, files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'validate-'));
  t.after(() => rm(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

async function run(files: readonly string[], options: { output?: string; input?: string } = {}) {
  const written: string[] = [];
  const stdout = { write: (text: string) => written.push(text) };
  const stdin = Readable.from([options.input ?? '']);
  const code = await runValidate({ files, output: options.output ?? 'text', stdin, stdout });
  return { code, text: written.join('') };
}

test('a good manifest has no problem', () => {
  assert.deepEqual(check(GOOD), { files: 1, objects: 1, skipped: 0, problems: [] });
});

test('file, line, object, field, value and rule are named', () => {
  assert.deepEqual(check(GOOD.replace('size: 3', 'size: 0')).problems, [
    {
      file: 'a.yaml',
      line: 7,
      kind: 'QdrantCluster',
      name: 'docs',
      field: 'spec.size',
      value: 0,
      rule: 'should be greater than or equal to 1',
    },
  ]);
});

test('lines count through documents, comments, lists and flow style', () => {
  const text = `# first\n${GOOD}---\n\n${HEAD}metadata: {name: other}\nspec:\n  version: 1.18.3\n  size: 2\n  tolerations:\n    # a comment\n    - key: a\n    - key: b\n      efect: NoSchedule\n  nodeSelector: {a: b,\n    c: 4}\n`;
  assert.deepEqual(places(check(text)), ['21 spec.tolerations[1].efect', '23 spec.nodeSelector[c]']);
});

test('what is missing is reported where it should stand', () => {
  const text = `${HEAD}metadata:\n  name: docs\nspec:\n  version: 1.18.3\n`;
  assert.deepEqual(places(check(text)), ['5 spec.size']);
  assert.deepEqual(places(check(`${HEAD}metadata:\n  name: docs\n`)), ['1 spec']);
});

test('aliases and merge keys are followed', () => {
  const text = `${HEAD}metadata:\n  name: docs\nspec:\n  version: 1.18.3\n  size: 1\n  persistence: &volume\n    size: 1Gi\n  snapshotPersistence:\n    <<: *volume\n    enabled: yes\n  tls: *volume\n`;
  assert.deepEqual(places(check(text)).toSorted(), ['13 spec.tls.secretName', '13 spec.tls.size']);
});

test('JSON is read, too, with its lines', () => {
  const text =
    '{\n\t"apiVersion": "qdrant-librarian.io/v1alpha1",\n\t"kind": "QdrantCluster",\n\t"metadata": {"name": "a"},\n\t"spec": {\n\t\t"version": "1.18.3",\n\t\t"size": "three"}}\n';
  assert.deepEqual(places(check(text)), ['7 spec.size']);
});

test('a list is unfolded', () => {
  const text = `apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n  - apiVersion: qdrant-librarian.io/v1alpha1\n    kind: QdrantCluster\n    metadata: {name: docs}\n    spec:\n      version: 1.18.3\n      size: many\n`;
  const report = check(text);
  assert.deepEqual([report.objects, report.skipped, places(report)], [1, 1, ['11 spec.size']]);
});

test('kinds of other groups are skipped and counted', () => {
  const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n---\napiVersion: qdrant.io/v1\nkind: QdrantCluster\n---\n${GOOD}`;
  assert.deepEqual(check(text), { files: 1, objects: 1, skipped: 2, problems: [] });
});

test('an unknown kind or version of this group is a problem', () => {
  assert.deepEqual(places(check(GOOD.replace('QdrantCluster', 'QdrantClutser'))), ['2 kind']);
  assert.deepEqual(places(check(GOOD.replace('v1alpha1', 'v1'))), ['1 apiVersion']);
});

test('what is no Kubernetes object is a problem', () => {
  assert.deepEqual(places(check('a: 1\n---\njust text\n---\n- 1\n')), ['1 apiVersion', '3 apiVersion', '5 apiVersion']);
});

test('a second object of one name is a problem, also in another file; another namespace is another name', () => {
  const elsewhere = GOOD.replace('name: docs', 'name: docs\n  namespace: other');
  const { problems } = checkManifests([
    { file: 'a.yaml', text: GOOD },
    { file: 'b.yaml', text: `${elsewhere}---\n${GOOD}` },
  ]);
  assert.deepEqual(places({ problems }), ['13 metadata.name']);
  assert.equal(problems[0]?.rule, 'must be unique: a.yaml:4 bears the same name');
});

test('a file that is not YAML is a problem with its line, and the others are still read', () => {
  const { objects, problems } = checkManifests([
    { file: 'broken.yaml', text: 'a: 1\nb: {\n' },
    { file: 'twice.yaml', text: 'a: 1\na: 2\n' },
    { file: 'good.yaml', text: GOOD },
  ]);
  assert.equal(objects, 1);
  assert.deepEqual(
    problems.map(({ file }) => file),
    ['broken.yaml', 'twice.yaml'],
  );
  assert.ok(problems.every(({ rule, line }) => rule.startsWith('not YAML: ') && line > 0));
  assert.equal(problems[1]?.line, 2);
});

test('the command reads files, folders and standard input, and exits 0 where nothing is wrong', async (t) => {
  const path = await folder(t, { 'one.yaml': GOOD, 'deep/two.yml': GOOD.replace('docs', 'code'), 'notes.txt': '{{' });
  const { code, text } = await run([path, '-'], { input: GOOD.replace('docs', 'data') });
  assert.equal(text, '3 objects in 3 files checked: no problem\n');
  assert.equal(code, 0);
});

test('hidden files and installed packages in a folder are left out', async (t) => {
  const path = await folder(t, { 'one.yaml': GOOD, '.git/x.yaml': '{', 'node_modules/a/b.yaml': '{' });
  assert.equal((await run([path])).code, 0);
});

test('the command exits 1 and prints one line a problem, like a compiler', async () => {
  const { code, text } = await run(['-'], {
    input: `apiVersion: v1\nkind: Pod\n---\n${GOOD.replace('size: 3', 'sise: 3')}`,
  });
  assert.equal(code, 1);
  assert.deepEqual(text.trimEnd().split('\n'), [
    '<stdin>:10: QdrantCluster/docs: spec.sise: 3: unknown field; did you mean spec.size?',
    '<stdin>:8: QdrantCluster/docs: spec.size: size must be specified unless external is set',
    '1 object in 1 file checked, 1 object of other groups skipped: 2 problems',
  ]);
});

test('the report can be JSON', async () => {
  const { code, text } = await run(['-'], { output: 'json', input: GOOD.replace('size: 3', 'size: 0') });
  const report: Report = JSON.parse(text);
  assert.deepEqual([code, report.objects, places(report)], [1, 1, ['7 spec.size']]);
});

test('a problem of a whole file is printed without an object', async () => {
  assert.match((await run(['-'], { input: 'a: {' })).text, /^<stdin>:1: not YAML: /);
});

test('the command exits 2 where it could not be done', async (t) => {
  const empty = await folder(t, { 'notes.txt': 'x' });
  assert.match((await run(['/nowhere/at/all.yaml'])).text, /can't be read/);
  assert.equal((await run(['/nowhere/at/all.yaml'])).code, 2);
  assert.deepEqual(await run([empty]), { code: 2, text: `no YAML or JSON file in ${empty}\n` });
  assert.deepEqual(await run(['-'], { output: 'xml' }), { code: 2, text: 'output must be text or json, not xml\n' });
});
