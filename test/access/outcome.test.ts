import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { accessOutcome, newUsesFolder } from '../../e2e/access/outcome.ts';
import { leaveUses, type Seen } from '../../e2e/access/uses.ts';
import type { FileOutcome } from '../../e2e/run/outcome.ts';
import { permissionText } from '../../src/kube/index.ts';
import { gatewayPermissions, neededPermissions } from '../../src/roles.ts';
import { NAMESPACE } from './world.ts';

const ALL = neededPermissions({ namespace: NAMESPACE, watchNamespace: undefined }).map(permissionText);
const GATEWAY = gatewayPermissions().map(permissionText);
const played = (file: string): FileOutcome => ({ file, seconds: 1, passed: 1, failed: [], leftOut: [] });
const FILES = ['access', 'bad-manifests', 'changes', 'deletion', 'gateway', 'other'].map(played);

type Happened = { readonly operator: Seen; readonly gateway?: Seen; readonly files?: readonly FileOutcome[] };

async function outcomeOf(t: TestContext, happened?: Happened) {
  const { operator, gateway = { used: GATEWAY, unlisted: [] }, files = FILES } = happened ?? {};
  const folder = await newUsesFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  await leaveUses(operator === undefined ? undefined : { operator, gateway });
  return accessOutcome(folder.path, files);
}

test('all rules used and none beyond: passed', async (t) => {
  const [outcome] = await outcomeOf(t, { operator: { used: ALL, unlisted: [] } });
  assert.deepEqual([outcome?.passed, outcome?.failed, outcome?.leftOut], [2, [], []]);
});

test('a rule that was not used fails the run', async (t) => {
  const used = ALL.filter((text) => text !== 'delete pods');
  const [outcome] = await outcomeOf(t, { operator: { used, unlisted: [] } });
  assert.deepEqual(outcome?.failed, ['granted, but not used: cluster: delete pods']);
});

test('where scenarios that use it were left out or failed it is told, and fails nothing', async (t) => {
  const used = ALL.filter((text) => text !== 'delete pods');
  const files = FILES.map((one) => (one.file === 'changes' ? { ...one, failed: ['it'] } : one));
  const [outcome] = await outcomeOf(t, { operator: { used, unlisted: [] }, files });
  assert.deepEqual(outcome?.failed, []);
  assert.match(outcome?.leftOut[0]?.why ?? '', /of changes$/);
});

test('a request that no rule lists always fails the run', async (t) => {
  const [outcome] = await outcomeOf(t, {
    operator: { used: ALL, unlisted: ['get pods in namespace team'] },
    files: [],
  });
  assert.deepEqual(outcome?.failed, ['no rule lists: get pods in namespace team']);
});

test('the gateway has an account of its own, and is held to it in the same way', async (t) => {
  const operator = { used: ALL, unlisted: [] };
  const gateway = { used: GATEWAY.filter((text) => text !== 'get secrets'), unlisted: ['list secrets'] };
  const [outcome] = await outcomeOf(t, { operator, gateway });
  assert.deepEqual(outcome?.failed, [
    'no rule lists: gateway: list secrets',
    'granted, but not used: gateway: get secrets',
  ]);
  const files = FILES.filter(({ file }) => file !== 'gateway');
  const [without] = await outcomeOf(t, { operator, gateway: { used: [], unlisted: [] }, files });
  assert.deepEqual(without?.failed, []);
  assert.match(without?.leftOut[0]?.why ?? '', /of gateway$/);
});

test('where nobody saw the requests nothing is said', async (t) => {
  assert.deepEqual(await outcomeOf(t), []);
});
