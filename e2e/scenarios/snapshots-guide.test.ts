import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { scenarios } from '../stage/scenario.ts';
import { DIMENSIONS } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['kubectl'] });
const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');
/** The snapshot that the page talks of. */
const EXAMPLE = 'docs-20260131t020000z';

/** The page's commands in their order: each indented line outside of fences. */
const commandsOf = (page: string): string[] =>
  page
    .replace(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim());

scenario('every command of the guide to snapshots does what the guide says', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk', { shards: { number: 1 } });
  await stage.libraryReady('docs', 1);
  const qdrant = await stage.qdrant('desk');
  const vector = Array.from({ length: DIMENSIONS }, () => 1);
  await qdrant.upsert(
    'docs',
    Array.from({ length: 100 }, (_, at) => ({ id: at + 1, vector, payload: { n: at } })),
  );

  const page = await readFile(join(ROOT, 'docs/snapshots.md'), 'utf8');
  const PATH = [dirname(stage.ground.kubectl), process.env['PATH']].join(':');
  const env = { ...process.env, PATH, KUBECONFIG: stage.ground.kubeconfigFile };
  const answers = new Map<string, string>();
  const counts: number[] = [];
  for (const command of commandsOf(page)) {
    stage.diary.note('step', command);
    const { status } = await stage.library('docs');
    const name = status?.snapshots?.items?.[0]?.name ?? EXAMPLE;
    const here = command.replaceAll(EXAMPLE, name).replace(/^kubectl /, `kubectl --namespace=${stage.namespace} `);
    const { stdout } = await run('bash', ['-o', 'pipefail', '-ec', here], { env, timeout: 120_000 });
    answers.set(command, stdout);
    counts.push(await qdrant.count('docs'));
    // The import with a mistake in it.
    if (counts.length === 3) await qdrant.deletePoints('docs', { ids: [1, 2, 3] });
    if (command.includes('toGeneration')) {
      const target = 'generation 1';
      await stage.untilLibrary(
        'docs',
        (library) => library.status?.rollback?.target === target && library.status.rollback.state === 'Done',
        `back at ${target}`,
      );
    }
  }
  const said = (part: RegExp): string => [...answers].find(([command]) => part.test(command))?.[1] ?? '';
  assert.ok(answers.size >= 10, [...answers.keys()].join('\n'));
  assert.match(said(/range \.status\.snapshots/), /^docs-\d{8}t\d{6}z 100 100-[0-9a-f]{32}\n$/);
  assert.match(said(/rollback\.message/), /is live as generation 2 after \d+\.\d s; generation 1 is kept$/);
  assert.match(said(/range \.status\.generations/), /^1 Retired[^\n]*\n2 Active/);
  assert.equal(await qdrant.count('docs'), 97, 'generation 1, as it was left');
  const { status } = await stage.library('docs');
  assert.equal(status?.snapshots?.items?.[0]?.verified, true);
});
