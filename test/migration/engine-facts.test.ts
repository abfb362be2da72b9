import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineFacts } from '../../src/migration/engine-facts.ts';
import { type ClusterClient, type PeerClient, QdrantError } from '../../src/qdrant/index.ts';

const silent = <T extends object>(given: Partial<T>): T =>
  new Proxy(given, {
    get: (target, name) => Reflect.get(target, name) ?? (() => new Promise(() => undefined)),
  }) as T;

test('a peer that is away while the engine is chosen is asked again: what it runs decides, not that it was away', async () => {
  const gone = new QdrantError({ code: 'Unreachable', operation: 'version', peer: 'b-0', message: 'ECONNREFUSED' });
  const side = (version: () => Promise<string>) => ({
    client: silent<ClusterClient>({ peers: [silent<PeerClient>({ version })] }),
    collection: 'docs--g2',
  });
  const facts = engineFacts(
    { source: side(() => Promise.resolve('1.18.3')), target: side(() => Promise.reject(gone)), change: 'uid/2' },
    AbortSignal.timeout(5000),
  );
  await assert.rejects(facts, gone);
});
