import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { START_SCRIPT } from '../../src/cluster/start-script.ts';

const URI = 'http://docs-0.docs-headless.team-a.svc:6335';
const OTHER = 'http://docs-1.docs-headless.team-a.svc:6335/';
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'start-'));
  mkdirSync(join(directory, 'storage'));
  mkdirSync(join(directory, 'peers'));
  writeFileSync(join(directory, 'qdrant'), '#!/bin/sh\necho "started with: $*"\n');
  chmodSync(join(directory, 'qdrant'), 0o755);
});
afterEach(() => rmSync(directory, { recursive: true }));

const tell = (key: 'founder' | 'members', value: string) => writeFileSync(join(directory, 'peers', key), value);
/** As Qdrant 1.18.3 writes it. */
const hasState = ({ term }: { readonly term: number }) => {
  const state = { hard_state: { term, vote: 0, commit: 0 }, conf_state: { voters: [], auto_leave: false } };
  const text = JSON.stringify({ state, latest_snapshot_meta: { term: 0, index: 0 }, this_peer_id: 7 });
  writeFileSync(join(directory, 'storage', 'raft_state.json'), text);
};

/** Runs the script as the kubelet does, beside a `./qdrant` that says how it was started. */
function start(environment: Record<string, string> = {}): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', START_SCRIPT], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 5000,
    env: {
      PATH: process.env['PATH'] ?? '',
      POD_NAME: 'docs-0',
      PEER_URI: URI,
      CONFIG_FILE: '/config.yaml',
      PEERS_DIRECTORY: join(directory, 'peers'),
      QDRANT__STORAGE__STORAGE_PATH: join(directory, 'storage'),
      QDRANT__SERVICE__API_KEY: 'k',
      JOIN_WAITS: '1',
      JOIN_WAIT_SECONDS: '0.01',
      ...environment,
    },
  });
  return { status, output: stdout + stderr };
}

const ALONE = `started with: --config-path /config.yaml --uri ${URI}\n`;

test('the founder of a new cluster founds it', () => {
  tell('founder', 'docs-0');
  tell('members', '');
  assert.ok(start().output.endsWith(`founding the cluster\n${ALONE}`));
});

test('a peer with an empty volume joins through the first member that is another', () => {
  tell('members', `${URI}/\n${OTHER}\nhttp://docs-2:6335\n`);
  assert.ok(start().output.endsWith(`--uri ${URI} --bootstrap ${OTHER}\n`));
});

test('a last line without an end counts', () => {
  tell('members', OTHER);
  assert.ok(start().output.endsWith(`--bootstrap ${OTHER}\n`));
});

test('a peer with a state goes on with it, whatever it is told', () => {
  hasState({ term: 1 });
  tell('founder', 'docs-0');
  tell('members', OTHER);
  assert.ok(start().output.endsWith(ALONE));
});

test('a peer whose join was refused has a state, and asks to join again', () => {
  hasState({ term: 0 });
  tell('members', OTHER);
  assert.ok(start().output.endsWith(`--bootstrap ${OTHER}\n`));
});

test('a founder that was killed before it led founds again', () => {
  hasState({ term: 0 });
  tell('founder', 'docs-0');
  tell('members', '');
  assert.ok(start().output.endsWith(ALONE));
});

test('the founder joins rather than founds where another member lives (S10)', () => {
  tell('founder', 'docs-0');
  tell('members', OTHER);
  assert.ok(start().output.endsWith(`--bootstrap ${OTHER}\n`));
});

test('an empty volume after the founding: refuses to found a second cluster (S10)', () => {
  tell('members', '');
  const { status, output } = start();
  assert.equal(status, 1);
  assert.match(output, /refusing to found a second cluster/);
  assert.doesNotMatch(output, /started/);
});

test('a list that names nobody but itself is no cluster to join', () => {
  tell('members', `${URI}\n`);
  const { status, output } = start();
  assert.equal(status, 1);
  assert.doesNotMatch(output, /started/);
});

test('another founder is no leave to found', () => {
  tell('founder', 'docs-1');
  assert.equal(start().status, 1);
});

test('nothing to read yet: refuses', () => {
  rmSync(join(directory, 'peers'), { recursive: true });
  assert.equal(start().status, 1);
});

test('waits for a member to appear', () => {
  writeFileSync(join(directory, 'sleep'), `#!/bin/sh\necho '${OTHER}' > ${directory}/peers/members\n`);
  chmodSync(join(directory, 'sleep'), 0o755);
  const { output } = start({ PATH: `${directory}:${process.env['PATH']}` });
  assert.ok(output.endsWith(`--bootstrap ${OTHER}\n`));
});

test('an empty key is refused: Qdrant would take the empty string as its key', () => {
  hasState({ term: 1 });
  assert.equal(start({ QDRANT__SERVICE__API_KEY: '' }).status, 1);
  assert.equal(start({ QDRANT__SERVICE__READ_ONLY_API_KEY: '' }).status, 1);
});

test('Kubernetes expands nothing in the script', () => {
  assert.doesNotMatch(START_SCRIPT, /\$\$/);
  const expanded = [...START_SCRIPT.matchAll(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g)].map(([, name]) => name);
  assert.deepEqual(new Set(expanded), new Set(['founder', 'other_member']), 'names that no variable has');
});
