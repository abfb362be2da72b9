import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { exitCode, type GroundOutcome, told, total } from '../../e2e/run/summary.ts';

const run = promisify(execFile);
const PLAY = join(import.meta.dirname, 'fixtures/play.ts');

let artifacts = '';
before(async () => {
  artifacts = await mkdtemp(join(tmpdir(), 'qdrant-librarian-test-'));
});
after(() => rm(artifacts, { recursive: true }));

const outcomeOf = (...args: string[]): Promise<GroundOutcome> => outcomeWith({}, ...args);

async function outcomeWith(settings: NodeJS.ProcessEnv, ...args: string[]): Promise<GroundOutcome> {
  // The runner tells its files by this variable that they are such; what it starts here is a run of its own.
  const { NODE_TEST_CONTEXT: _context, ...environment } = process.env;
  const env = { ...environment, ...settings, E2E_ARTIFACTS: artifacts };
  const { stdout } = await run(process.execPath, [PLAY, ...args], { env });
  return JSON.parse(stdout) as GroundOutcome;
}

test('a run tells what failed and what was left out for want of which part, and leaves a folder for each failure', async () => {
  const outcome = await outcomeOf('api-only');
  assert.ok(outcome.kind === 'played');
  assert.equal(exitCode([outcome]), 1);
  const text = told(outcome);
  assert.match(text, /Ground api-only: an API server and nothing else, prepared once\./);
  assert.match(text, /passes +[\d.]+ s {2}1 passed, 1 left out/);
  assert.match(text, /fails +[\d.]+ s {2}0 passed, 2 FAILED/);
  assert.match(text, /Left out: ground api-only lacks kubectl \(has kubectl\):\n {2}passes: is left out/);
  assert.match(text, /FAILED: fails: made to fail/);

  const folder = outcome.artifacts ?? '';
  assert.ok(folder.startsWith(artifacts));
  const read = (file: string): Promise<string> => readFile(join(folder, 'fails--made-to-fail', file), 'utf8');
  assert.match(await read('failure.txt'), /Error: the key was \[blanked\]/);
  assert.match(await read('timeline.txt'), /step +create cluster desk[\s\S]*failure +Error: the key was \[blanked\]/);
  assert.match(await read('objects/qdrantclusters.yaml'), /name: desk/);
  assert.match(await read('objects/secrets.yaml'), /api-key: '\[left out\]'/);
  const notThere = await read('not-there.txt');
  assert.match(notThere, /operator\/metrics\.txt: there is no operator/);
  assert.match(notThere, /qdrant\/desk\/desk-0\/telemetry\.json: /);
  const texts = await Promise.all(
    (await Array.fromAsync(glob(join(folder, '**/*.*')))).map((file) => readFile(file, 'utf8')),
  );
  const canary = 'canary-of-the-fixture';
  assert.deepEqual(
    texts.filter((one) => one.includes(canary) || one.includes(Buffer.from(canary).toString('base64'))),
    [],
  );
  const other = await readFile(join(folder, 'fails--asks-for-what-it-did-not-say-it-needs/failure.txt'), 'utf8');
  assert.match(other, /ground api-only has no kill: the scenario needs pod-faults/);
});

test('a part of a name or of a title picks what is played', async () => {
  const byFile = await outcomeOf('api-only', 'passes');
  assert.ok(byFile.kind === 'played');
  assert.deepEqual(
    byFile.files.map(({ file, passed }) => [file, passed]),
    [['passes', 1]],
  );
  assert.equal(exitCode([byFile]), 0);
  assert.equal(byFile.artifacts, undefined);
  const bySome = await outcomeOf('api-only', 'passes', 'of no file');
  assert.ok(bySome.kind === 'played');
  assert.deepEqual(
    bySome.files.map(({ file }) => file),
    ['passes'],
  );
});

test('a run that is short of time leaves out what is not core, and says so', async () => {
  const late = await outcomeWith({ REST_WITHIN: '0' }, 'api-only', 'passes');
  assert.match(told(late), /passes +[\d.]+ s {2}0 passed, 2 left out/);
  assert.match(told(late), /Left out: the run has no time left for it:\n {2}passes: /);
  assert.equal(exitCode([late]), 0);
  const inTime = await outcomeWith({ REST_WITHIN: '60' }, 'api-only', 'passes');
  assert.match(told(inTime), /passes +[\d.]+ s {2}1 passed, 1 left out/);
});

test('what a scenario forgot to end does not hold up the run', async () => {
  const outcome = await outcomeOf('api-only', 'hangs');
  assert.equal(exitCode([outcome]), 0);
  assert.match(told(outcome), /hangs +[\d.]+ s {2}1 passed/);
});

test('a run in which no scenario was played is no success', async () => {
  const outcome = await outcomeOf('api-only', 'no title has this');
  assert.equal(exitCode([outcome]), 1);
  assert.match(told(outcome), /FAILED: no scenario was played/);
});

test('a ground that the machine has no part for is told from one that failed', async () => {
  const absent = await outcomeOf('absent');
  assert.equal(told(absent), 'Ground absent COULD NOT START: there is no etcd\n');
  assert.equal(exitCode([absent]), 3);
  const unknown = await outcomeOf('moon');
  assert.ok(unknown.kind === 'not started');
  assert.match(unknown.why, /no ground moon: name one of embedded, control-plane, node, or a kubeconfig file/);
});

const played = (ground: string, failed: string[]): GroundOutcome => ({
  ground,
  kind: 'played',
  parts: 'some',
  readySeconds: 1,
  seconds: 10,
  files: [{ file: 'peers', seconds: 9, passed: 1, failed, leftOut: [] }],
});

test('one failure fails a run of several grounds, whatever became of the others', () => {
  const absent: GroundOutcome = { ground: 'node', kind: 'not started', why: 'not root', seconds: 0.5 };
  assert.equal(exitCode([played('embedded', []), played('control-plane', ['it broke']), absent]), 1);
  assert.equal(exitCode([played('embedded', []), absent]), 3);
  assert.equal(exitCode([played('embedded', [])]), 0);
  assert.equal(
    exitCode([{ ...played('embedded', []), files: [] } as GroundOutcome]),
    1,
    'nothing played is no success',
  );
  assert.equal(
    total([played('embedded', []), played('control-plane', ['it broke']), absent]),
    'All grounds: embedded passed in 10.0 s; control-plane FAILED in 10.0 s; node could not start in 0.5 s; together 20.5 s\n',
  );
});
