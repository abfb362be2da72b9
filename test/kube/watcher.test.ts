import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConfigMap, keyOf, keyText, Store } from '../../src/kube/index.ts';
import { advance, EMPTY, nextRequest, type WatcherInput, type WatcherState } from '../../src/kube/watcher.ts';

const PAGE = 2;
const NAMES = ['a', 'b', 'c', 'd', 'e'];

const configMap = (name: string, uid: string, version: number): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', uid, resourceVersion: String(version) },
});

/** A server as the watcher sees it: objects, history, compaction. */
class Model {
  objects = new Map<string, ConfigMap>();
  history: { version: number; kind: 'applied' | 'deleted'; object: ConfigMap }[] = [];
  snapshots = new Map<number, ConfigMap[]>();
  version = 1;
  compacted = 1;

  put(name: string): void {
    this.version += 1;
    const uid = this.objects.get(name)?.metadata.uid ?? `uid-${this.version}`;
    const object = configMap(name, uid, this.version);
    this.objects.set(name, object);
    this.history.push({ version: this.version, kind: 'applied', object });
  }

  remove(name: string): void {
    const object = this.objects.get(name);
    if (object === undefined) return;
    this.version += 1;
    this.objects.delete(name);
    const last = configMap(name, object.metadata.uid ?? '', this.version);
    this.history.push({ version: this.version, kind: 'deleted', object: last });
  }

  list(token: string | undefined): WatcherInput<ConfigMap> {
    const [version = this.version, from = 0] = token?.split(':').map(Number) ?? [];
    if (version < this.compacted) return { kind: 'expired' };
    const all = this.snapshots.get(version) ?? [...this.objects.values()];
    this.snapshots.set(version, all);
    const next = from + PAGE < all.length ? `${version}:${from + PAGE}` : undefined;
    return {
      kind: 'page',
      items: all.slice(from, from + PAGE),
      resourceVersion: String(version),
      ...(next === undefined ? {} : { continue: next }),
    };
  }

  events(since: number): WatcherInput<ConfigMap>[] {
    if (since < this.compacted) return [{ kind: 'expired' }];
    return this.history.filter(({ version }) => version > since).map(({ kind, object }) => ({ kind, object }));
  }
}

type Step =
  | { readonly kind: 'put' | 'remove'; readonly name: string }
  | { readonly kind: 'compact' | 'bookmark' | 'fail' | 'close' }
  /** The watcher asks, and gets at most so many events before the stream is cut. */
  | { readonly kind: 'ask'; readonly events: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put' as const, 'remove' as const), name: fc.constantFrom(...NAMES) }),
  fc.record({
    kind: fc.constantFrom('compact' as const, 'bookmark' as const, 'fail' as const, 'close' as const),
  }),
  fc.record({ kind: fc.constant('ask' as const), events: fc.integer({ min: 0, max: 4 }) }),
);

const byVersion = ({ metadata }: ConfigMap): string[] => [String(metadata.resourceVersion)];

test('whatever is cut, compacted or repeated: in the end the store equals the server, and the changes tell the same', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const server = new Model();
      const store = new Store<ConfigMap>({ name: ({ metadata }) => [metadata.name] });
      const told = new Map<string, string | undefined>();
      let state: WatcherState<ConfigMap> = EMPTY;
      const take = (input: WatcherInput<ConfigMap>): void => {
        const { state: next, output } = advance(state, input);
        state = next;
        if (output === undefined) return;
        const changes =
          output.kind === 'replaceAll'
            ? store.replaceAll(output.objects)
            : output.kind === 'apply'
              ? store.apply(output.object)
              : store.remove(output.object);
        for (const { type, object } of changes) {
          const id = object.metadata.uid ?? '';
          assert.equal(told.has(id), type !== 'added', `${type} of ${id}`);
          if (type === 'deleted') told.delete(id);
          else told.set(id, object.metadata.resourceVersion);
        }
      };
      const ask = (events: number): void => {
        const request = nextRequest(state);
        if (request.kind === 'list') take(server.list(request.continue));
        else for (const event of server.events(Number(request.resourceVersion)).slice(0, events)) take(event);
      };
      for (const each of steps) {
        if (each.kind === 'close') store.by(byVersion, '1');
        if (each.kind === 'put') server.put(each.name);
        else if (each.kind === 'remove') server.remove(each.name);
        else if (each.kind === 'compact') server.compacted = server.version;
        else if (each.kind === 'ask') ask(each.events);
        else if (each.kind === 'fail') take({ kind: 'failed' });
        else if (each.kind === 'close') take({ kind: 'closed' });
        // A bookmark is true only to a watcher that has seen all before it.
        else if (state.phase === 'Watching' && server.events(Number(state.resourceVersion)).length === 0) {
          take({ kind: 'bookmark', resourceVersion: String(server.version) });
        }
      }
      for (let round = 0; round < 10; round += 1) ask(Number.POSITIVE_INFINITY);
      const versions = (objects: Iterable<ConfigMap>): Record<string, string | undefined> =>
        Object.fromEntries([...objects].map(({ metadata }) => [metadata.uid, metadata.resourceVersion]));
      assert.deepEqual(versions(store.list()), versions(server.objects.values()));
      assert.deepEqual(Object.fromEntries(told), versions(server.objects.values()));
      for (const name of NAMES) {
        assert.equal(store.byIndex('name', name).length, server.objects.has(name) ? 1 : 0);
        // Of this one nobody knew before the first object was asked for, which may be early or late.
        assert.deepEqual(
          store.by(byVersion, String(server.objects.get(name)?.metadata.resourceVersion)),
          store.list().filter((each) => each.metadata.name === name),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test('only an expired version makes it list again', () => {
  const state: WatcherState<ConfigMap> = { phase: 'Watching', resourceVersion: '7' };
  for (const kind of ['failed', 'closed'] as const) assert.deepEqual(advance(state, { kind }).state, state);
  assert.deepEqual(advance(state, { kind: 'expired' }).state, EMPTY);
});

test('a list half read goes on with its token after a failure, and begins anew when the token expired', () => {
  const object = configMap('a', 'u', 1);
  const state: WatcherState<ConfigMap> = { phase: 'InitPage', continue: 'token', objects: [object] };
  assert.deepEqual(nextRequest(advance(state, { kind: 'failed' }).state), { kind: 'list', continue: 'token' });
  assert.deepEqual(nextRequest(advance(state, { kind: 'expired' }).state), { kind: 'list' });
});

test('nothing of a list reaches the cache before its last page', () => {
  const page = (name: string, token?: string): WatcherInput<ConfigMap> => ({
    kind: 'page',
    items: [configMap(name, name, 1)],
    resourceVersion: '9',
    continue: token,
  });
  const first = advance(EMPTY as WatcherState<ConfigMap>, page('a', 'more'));
  assert.equal(first.output, undefined);
  const last = advance(first.state, page('b'));
  const names = last.output?.kind === 'replaceAll' ? last.output.objects.map((each) => keyText(keyOf(each))) : [];
  assert.deepEqual(names, ['ns/a', 'ns/b']);
});

test('a list without a version is listed again rather than watched from nowhere', () => {
  const { state } = advance(EMPTY as WatcherState<ConfigMap>, { kind: 'page', items: [], resourceVersion: '' });
  assert.deepEqual(nextRequest(state), { kind: 'list' });
});

test('an index that was not declared is an error, not an empty answer', () => {
  assert.throws(() => new Store<ConfigMap>().byIndex('colour', 'red'), /no index named colour/);
});

test('an index asks each object once for its values, and again only when the object changes', () => {
  const store = new Store<ConfigMap>();
  const asked: string[] = [];
  const byName = ({ metadata }: ConfigMap): string[] => {
    asked.push(metadata.name);
    return [metadata.name];
  };
  store.replaceAll([configMap('a', 'a', 1), configMap('b', 'b', 2)]);
  for (let round = 0; round < 3; round += 1) assert.equal(store.by(byName, 'a').length, 1);
  assert.deepEqual(asked, ['a', 'b']);
  store.apply(configMap('b', 'b', 3));
  assert.equal(store.by(byName, 'b')[0]?.metadata.resourceVersion, '3');
  assert.deepEqual(asked, ['a', 'b', 'b', 'b'], 'to take the old one out, and to put the new one in');
  store.remove(configMap('a', 'a', 1));
  assert.deepEqual(store.by(byName, 'a'), []);
});

test('a store lists one namespace or all', () => {
  const store = new Store<ConfigMap>();
  store.apply(configMap('a', 'u', 1));
  assert.equal(store.list('ns').length, 1);
  assert.equal(store.list('other').length, 0);
  assert.deepEqual(store.remove(configMap('unknown', 'x', 2)), []);
});
