import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { MODEL } from '../../sandbox/external-embedder.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';
import { Vectorizing } from '../stage/vectorizing.ts';

const scenario = await scenarios({ needs: ['kubectl', 'outside-embedder'] });
const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');
const DIMENSIONS = 384;

/** The page's commands in their order: each indented line outside of fences. */
const commandsOf = (page: string): string[] =>
  page
    .replace(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim());

/** The block that the reader is told to save. */
function manifestOf(page: string, embedder: string, namespace: string): string {
  const [, block = ''] = /Save this as `manual\.yaml`[^`]*```yaml\n([\s\S]*?)^```/m.exec(page) ?? [];
  assert.notEqual(block, '');
  return block
    .replaceAll('team-a', namespace)
    .replace('http://ollama.models.svc:11434', embedder)
    .replace('all-minilm', MODEL);
}

/** Runs the commands in a folder that looks like a checkout, against the scenario's namespace. */
async function follow(stage: Stage, page: string, embedder: string): Promise<ReadonlyMap<string, string>> {
  const { ground, namespace } = stage;
  const folder = await mkdtemp(join(tmpdir(), 'qdrant-librarian-guide-'));
  stage.defer(() => rm(folder, { recursive: true }));
  for (const name of ['docs', 'CHANGELOG.md', 'package.json', 'node_modules', 'src', 'crds']) {
    await symlink(join(ROOT, name), join(folder, name));
  }
  await writeFile(join(folder, 'manual.yaml'), manifestOf(page, embedder, namespace));
  const PATH = [dirname(ground.kubectl), join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(':');
  const env = { ...process.env, PATH, KUBECONFIG: ground.kubeconfigFile };
  const answers = new Map<string, string>();
  for (const command of commandsOf(page)) {
    stage.diary.note('step', command);
    const here = command
      .replaceAll('team-a', namespace)
      .replace(/^npx --no-install qdrant-librarian/, `${process.execPath} ${join(ROOT, 'src/main.ts')}`);
    const { stdout } = await run('bash', ['-o', 'pipefail', '-ec', here], { cwd: folder, env, timeout: 120_000 });
    answers.set(command, stdout);
  }
  return answers;
}

scenario('every command of the guide does what the guide says', async (stage) => {
  const embedder = stage.ground.outsideEmbedder();
  stage.defer(() => embedder.stop());
  await embedder.start({ dimensions: DIMENSIONS });
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('handbook', 'desk', {
    vectors: [{ name: '', size: DIMENSIONS, distance: 'Cosine' }],
    shards: { number: 1 },
  });
  await stage.libraryReady('handbook', 1);

  const page = await readFile(join(ROOT, 'docs/vectorizing.md'), 'utf8');
  const answers = await follow(stage, page, embedder.url);

  const said = (part: RegExp): string => [...answers].find(([command]) => part.test(command))?.[1] ?? '';
  assert.ok(answers.size > 15);
  assert.match(said(/^kubectl get vecjob -n team-a manual$/), /READY[\s\S]*handbook[\s\S]*Succeeded/);
  assert.match(said(/@\.type=="Ready"/), /^\d+ chunks of \d+ documents: \d+ embedded, /);
  assert.match(said(/describe/), /RunSucceeded/);
  assert.match(said(/lastRun\.embedded/), /^0 embedded, [1-9]\d* reused$/);
  assert.match(said(/nextAt/), /^\d{4}-\d\d-\d\dT0[12]:00:00Z$/);
  assert.match(said(/report/), /#/);
  assert.match(said(/kubectl logs/), /the run has ended/);
  const vectorizing = new Vectorizing(stage, embedder);
  const documents = await vectorizing.documents('handbook');
  assert.ok(documents.includes('CHANGELOG.md') && documents.includes('kinds.md'), documents.join(', '));
});
