import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, KubeObject } from '../../src/kube/index.ts';
import { configMapsDigest, secretsDigest, withDigestOnly } from '../../src/vectorize/inputs.ts';
import { Sight } from '../../src/vectorize/sight.ts';
import { rested, vectorizationJob } from './sim.ts';

const map = (name: string, data: Record<string, string>, more: Partial<ConfigMap> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'team' },
  data,
  ...more,
});

const caches = (...objects: KubeObject[]) => {
  const store = { get: ({ name }: { name: string }) => objects.find(({ metadata }) => metadata.name === name) };
  return { configMaps: { store }, secrets: { store } } as unknown as Parameters<typeof configMapsDigest>[1];
};

test('the digest is of what stands in the ConfigMaps, not of their versions; the cache need not keep it', () => {
  const job = vectorizationJob({ gates: { goldenQueriesConfigMapRef: { name: 'golden' } } });
  const pages = map('pages', { 'b.md': 'B', 'a.md': 'A' });
  const golden = map('golden', { q: '[]' });
  const whole = configMapsDigest(job, caches(pages, golden));
  assert.match(whole ?? '', /^[0-9a-f]{16}$/);
  const touched = map('pages', { 'a.md': 'A', 'b.md': 'B' }, { metadata: { ...pages.metadata, resourceVersion: '9' } });
  assert.equal(configMapsDigest(job, caches(touched, golden)), whole);
  const lean = withDigestOnly(structuredClone(pages));
  assert.ok(!JSON.stringify(lean).includes('a.md'));
  assert.equal(configMapsDigest(job, caches(lean, withDigestOnly(golden))), whole);
  for (const other of [
    map('pages', { 'a.md': 'A', 'b.md': 'b' }),
    map('pages', { 'a.md': 'A' }),
    map('pages', { 'a.md': 'A', 'b.md': 'B' }, { binaryData: { c: 'AA==' } }),
  ]) {
    assert.notEqual(configMapsDigest(job, caches(withDigestOnly(other), golden)), whole);
  }
  assert.notEqual(configMapsDigest(job, caches(pages, map('golden', { q: '[1]' }))), whole);
  assert.equal(configMapsDigest(job, caches(pages)), undefined, 'one that is gone is no change');
  assert.equal(configMapsDigest(vectorizationJob({ source: { http: { urls: ['http://a'] } } }), caches()), undefined);
});

test('of Secrets only versions count', () => {
  const embedder = { protocol: 'Ollama', url: 'http://o', model: 'm', apiKeySecretRef: { name: 'llm' } } as const;
  const job = vectorizationJob({ embedder });
  const secret = (resourceVersion: string) =>
    ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'llm', resourceVersion } }) as KubeObject;
  assert.equal(secretsDigest(job, caches(secret('1'))), secretsDigest(job, caches(secret('1'))));
  assert.notEqual(secretsDigest(job, caches(secret('1'))), secretsDigest(job, caches(secret('2'))));
  assert.equal(secretsDigest(vectorizationJob(), caches()), undefined);
});

test('a change counts when it has rested, and one that never rests after ten times that', () => {
  const sight = new Sight();
  const at = (digest: string | undefined, now: number) =>
    sight.settledAt('a', { digest, known: 'one', now, rest: 3000 });
  assert.equal(at('one', 0), 0);
  assert.equal(at('two', 1000), 4000);
  assert.equal(at('two', 3000), 4000);
  assert.equal(at('three', 3500), 6500);
  assert.equal(at('one', 4000), 4000, 'taken back');
  assert.equal(at('two', 5000), 8000);
  const last = Array.from({ length: 40 }, (_, second) => at(`change ${second}`, 6000 + second * 1000)).at(-1);
  assert.equal(last, 35_000);
});

test('a changed ConfigMap starts one run, after it has rested; with a schedule none', () => {
  const sim = rested();
  sim.inputs = { ...sim.inputs, digest: 'two', settledAt: sim.now + 3000 };
  sim.passes(5);
  assert.equal(sim.runsStarted.length, 1);
  sim.now += 3000;
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Source');
  // While it runs, it changes again: the run is not given up, and another follows.
  sim.inputs = { ...sim.inputs, digest: 'three', settledAt: sim.now };
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 2);
  sim.ends();
  sim.passes(5);
  assert.equal(sim.runsStarted.length, 3);
  sim.ends();
  sim.passes(5);
  assert.equal(sim.runsStarted.length, 3);
  assert.equal(sim.job.status?.lastRun?.inputs, 'three');
  sim.inputs = { ...sim.inputs, digest: undefined };
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 3, 'a source that is away is no change');

  const nightly = rested({ schedule: '0 3 * * *' });
  nightly.inputs = { ...nightly.inputs, digest: 'two', settledAt: 0 };
  nightly.passes(5);
  assert.equal(nightly.runsStarted.length, 1);
  nightly.now += 86_400_000;
  nightly.passes(3);
  assert.equal(nightly.job.status?.progress?.cause, 'Schedule');
});

test('a changed Secret ends the pause after a refused key, and starts nothing where all is well', () => {
  const sim = rested();
  sim.inputs = { ...sim.inputs, secrets: 'new' };
  sim.passes(4);
  assert.equal(sim.runsStarted.length, 1);
  sim.annotate('run', 'again');
  sim.passes(3);
  sim.ends({ result: 'Failed', reason: 'EmbedderUnauthorized' });
  sim.passes(4);
  assert.equal(sim.runsStarted.length, 2, 'it pauses');
  sim.inputs = { ...sim.inputs, secrets: 'newer' };
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Secret');
  assert.equal(sim.runsStarted.length, 3);
});
