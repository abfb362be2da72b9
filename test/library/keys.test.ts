import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QdrantCluster } from '../../src/api/index.ts';
import { bindingSecret } from '../../src/library/binding.ts';
import type { LibraryDeps } from '../../src/library/deps.ts';
import { gather } from '../../src/library/gather.ts';
import { earlierKey } from '../../src/library/keys.ts';
import { LibraryMemory } from '../../src/library/memory.ts';
import type { CommonAnswers } from '../../src/library/observe.ts';
import { CREATE_PREDICATES, refusals } from '../../src/library/predicates.ts';
import { SharedLooks } from '../../src/library/shared-looks.ts';
import { type Connection, type PeerClient, QdrantError } from '../../src/qdrant/index.ts';
import { cluster, library, ready, settings } from './sim.ts';

const encoded = (key: string) => Buffer.from(key).toString('base64');

/** A managed cluster whose pods accept one key each; what a pass over a library there reads. */
class World {
  readonly accepts = ['old', 'old', 'old'];
  readonly secrets = new Map<string, object>();
  memory = new LibraryMemory();

  constructor() {
    this.putKey('old');
  }

  putKey(key: string): void {
    this.secrets.set('main-apikey', { metadata: { name: 'main-apikey' }, data: { 'api-key': encoded(key) } });
  }

  async look() {
    const main = cluster({ spec: { size: this.accepts.length } });
    const empty = { store: { get: () => undefined, by: () => [] } };
    const informers = {
      libraries: empty,
      jobs: empty,
      configMaps: empty,
      clusters: { store: { get: () => main } },
      secrets: { store: { get: ({ name }: { name: string }) => this.secrets.get(name) } },
    };
    const pool = { get: (_key: string, { peers, apiKey }: Connection) => this.#client(peers, apiKey) };
    const deps = { informers, pool, now: () => 0, settings } as unknown as LibraryDeps;
    const subject = library();
    const { signal } = new AbortController();
    const looks = new SharedLooks<PeerClient, CommonAnswers>({ now: () => 0 });
    const options = { library: subject, memory: this.memory, settings, signal, looks, fresh: true };
    const { world, reach } = await gather(deps, options);
    const peers = world.sight.kind === 'seen' ? world.sight.look.peers.length : world.sight.reason;
    return [peers, reach?.connection.apiKey];
  }

  #client(peers: Connection['peers'], apiKey: string | undefined) {
    return {
      peers: peers.map(({ name }, ordinal) => {
        const guarded = async <T>(answer: T): Promise<T> => {
          if (this.accepts[ordinal] === apiKey) return answer;
          throw new QdrantError({ code: 'Unauthorized', status: 401, message: 'no', operation: 'x', peer: name });
        };
        return {
          name,
          version: async () => '1.18.3',
          cluster: () => guarded({ status: 'disabled' }),
          collections: () => guarded([]),
          aliases: () => guarded([]),
        };
      }),
    };
  }
}

test('a library uses the key that the pods accept while the Secret holds another, and the new one once most have it', async () => {
  const world = new World();
  assert.deepEqual(await world.look(), [3, 'old']);
  world.putKey('new');
  assert.deepEqual(await world.look(), [3, 'old']);
  world.accepts[2] = 'new';
  assert.deepEqual(await world.look(), [2, 'old']);
  world.accepts[1] = 'new';
  assert.deepEqual(await world.look(), [2, 'new']);
  world.accepts[0] = 'new';
  assert.deepEqual(await world.look(), [3, 'new']);
});

test('after a restart of the operator the binding tells which key was accepted', async () => {
  const world = new World();
  world.putKey('new');
  assert.deepEqual((await world.look())[0], 'Unauthorized');
  const binding = bindingSecret(library(), { 'api-key': 'old' });
  world.secrets.set(binding.metadata.name, binding);
  assert.deepEqual(await world.look(), [3, 'old']);
});

test("a binding that is somebody else's tells no key", () => {
  const binding = bindingSecret(library(), { 'api-key': 'old' });
  const { ownerReferences: _owners, ...metadata } = binding.metadata;
  assert.equal(earlierKey(library(), { accepted: undefined, binding }), 'old');
  assert.equal(earlierKey(library(), { accepted: undefined, binding: { ...binding, metadata } }), undefined);
  assert.equal(earlierKey(library(), { accepted: 'last', binding }), 'last');
});

test('nothing is made that a worker would have to fill with a key that the pods refuse', () => {
  const changed = { ...ready('True'), type: 'KeyChanged' };
  const names = (of: QdrantCluster) =>
    refusals(
      CREATE_PREDICATES,
      { look: { peers: [], silent: [], everyPeerListed: false }, cluster: of },
      library(),
    ).map(({ name }) => name);
  const before = cluster();
  assert.deepEqual(names(before), []);
  assert.deepEqual(names(cluster({ status: { ...before.status, conditions: [ready('True'), changed] } })), [
    'cluster-is-ready',
  ]);
});
