import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANNOTATIONS } from '../../../src/api/index.ts';
import { CONFIG_MAPS, JOBS, SERVICE_ACCOUNTS } from '../../../src/kube/index.ts';
import type { DiscoveryReport } from '../../../src/library/discovery/report.ts';
import { rowOf } from '../../../src/vectors/index.ts';
import { CANARY, NAMESPACE, Room } from '../room.ts';
import { type CorpusOptions, corpus } from './corpus.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

const VECTORS = [{ name: '', size: 16, distance: 'Cosine' as const }];

async function prepared(spec: object, filled: Partial<CorpusOptions> = {}): Promise<void> {
  await room.putKey(CANARY);
  await room.createCluster();
  room.startOperator();
  await room.createLibrary({ vectors: VECTORS, ...spec });
  await room.ready();
  if (filled.rows !== 0) await fill(filled);
}

async function fill(wanted: Partial<CorpusOptions> = {}): Promise<void> {
  const options = { domains: 3, rows: 300, columns: 16, likeness: 0.05, spread: 0.6, seed: 1, ...wanted };
  const { points, texts } = corpus(options);
  const filled = texts.map((text, row) => ({ id: row + 1, vector: [...rowOf(points, row)], payload: { text } }));
  await room.qdrant.upsert('docs', filled);
}

const discovery = async () => (await room.library()).status?.discovery;
const settled = (outcome: string) => room.until(async () => (await discovery())?.outcome === outcome);
const jobs = () => room.admin.listAll(JOBS, { namespace: NAMESPACE });
const event = (reason: string) => room.events.filter((each) => each.reason === reason);

/** Filled first: what is looked at once is not looked at again. */
const afterFilling = async (spec: object): Promise<void> => {
  await prepared({});
  await room.change({ spec: { discovery: spec } });
};

test('domains are found once per change of the settings, named, reported, and put away; nothing is written at rest', async () => {
  await afterFilling({ maxDomains: 8 });
  await settled('Domains');
  const found = await discovery();
  assert.deepEqual(
    found?.domains?.map(({ points, sharePercent }) => [points, sharePercent]),
    [
      [100, 33],
      [100, 33],
      [100, 33],
    ],
  );
  const report = await room.admin.get(CONFIG_MAPS, { namespace: NAMESPACE, name: found?.report ?? '' });
  const details = JSON.parse(report.data?.['report.json'] ?? '') as DiscoveryReport;
  assert.deepEqual(
    details.domains.map(({ name }) => name),
    found?.domains?.map(({ name }) => name),
  );
  assert.match(report.data?.['report.md'] ?? '', /# Domains of docs--g1/);
  await room.until(async () => (await room.condition('Discovered')) === 'True DomainsFound');
  assert.equal(await room.condition('FieldsNotActedOn'), undefined);
  await room.until(async () => (await jobs()).length === 0);
  await room.until(async () => {
    const accounts = await room.admin.listAll(SERVICE_ACCOUNTS, { namespace: NAMESPACE });
    return !accounts.some(({ metadata }) => metadata.name === 'docs-discover');
  });
  await room.ready();
  await sleep(300);
  room.writes();
  await sleep(600);
  assert.deepEqual(room.writes(), [], 'a steady resync writes nothing');
  assert.equal(event('DomainsFound').length, 1);
  assert.equal(room.forbidden(), 0);
  assert.ok(!(await room.everythingSaid()).includes(CANARY));

  // Another number of domains is another question.
  await room.change({ spec: { discovery: { maxDomains: 2 } } });
  await room.until(async () => (await discovery())?.domains?.length === 2);
});

test('a library of one domain has none, and says by which rule', async () => {
  await prepared({}, { domains: 1, likeness: 0, spread: 1 });
  await room.change({ spec: { discovery: {} } });
  await settled('NoDomains');
  await room.until(async () => (await room.condition('Discovered')) === 'False NoDomains');
  assert.match((await discovery())?.message ?? '', /^no domains here: [a-z-]+ \(/);
  assert.deepEqual((await discovery())?.domains, []);
});

test('on demand by annotation, once per value, without spec.discovery', async () => {
  await prepared({});
  const ask = (nonce: string) => room.change({ metadata: { annotations: { [ANNOTATIONS.discover]: nonce } } });
  await ask('one');
  await settled('Domains');
  await room.until(async () => (await room.library()).status?.lastHandled?.['discover'] === 'one');
  assert.equal((await discovery())?.change, 'asked one');
  const first = (await discovery())?.ranAt;
  await sleep(1100);
  await ask('two');
  await room.until(async () => (await discovery())?.change === 'asked two');
  assert.notEqual((await discovery())?.ranAt, first);
  assert.equal(event('DomainsFound').length, 2);
});

test('refused by name: splitting, no dense vector, too few points; each goes on by itself when its cause is gone', async () => {
  await prepared({ discovery: { action: 'Split' } }, { rows: 0 });
  await room.until(async () => (await room.condition('Discovered')) === 'False NotBuilt');
  await room.change({ spec: { discovery: { action: 'Recommend' } } });
  await room.until(async () => (await room.condition('Discovered')) === 'False LibraryTooSmall');
  assert.equal((await jobs()).length, 0);
  await fill();
  await settled('Domains');
});

test('sparse vectors only: nothing to compare', async () => {
  await prepared({ vectors: undefined, sparseVectors: [{ name: 'words' }], discovery: {} }, { rows: 0 });
  await room.until(async () => (await room.condition('Discovered')) === 'False NoDenseVector');
});

test('the operator and the worker are killed while one runs: it is finished, once', async () => {
  await afterFilling({ maxDomains: 8 });
  await room.until(async () => (await jobs()).length === 1);
  room.workerSignal.abort(new Error('killed'));
  await room.stopOperator();
  room.startOperator();
  await settled('Domains');
  assert.equal(event('DomainsFound').length, 1);
});

test('what the spec no longer wants is stopped', async () => {
  await afterFilling({ maxDomains: 8 });
  await room.until(async () => (await discovery())?.running !== undefined);
  await room.change({ spec: { discovery: null } });
  await room.until(async () => (await discovery())?.running === undefined && (await jobs()).length === 0);
});
