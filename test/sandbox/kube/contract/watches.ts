import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../../sandbox/kube/json.ts';
import type { Target, Watch } from './api.ts';
import { configMap, field, versionOf, world } from './world.ts';

const seen = async (watch: Watch): Promise<[string | undefined, unknown]> => {
  const event = await watch.next();
  return [event?.type, at(event?.object, 'metadata', 'name')];
};

/** Watching for changes. */
export function watches(target: () => Target): void {
  describe('watches', () => {
    const here = world(target);

    test('a watch tells what happened after its resourceVersion, in order', async () => {
      const { api, core } = here();
      const list = await api.get(core('configmaps'));
      const watch = await api.watch(`${core('configmaps')}?watch=1&resourceVersion=${versionOf(list)}`);
      await api.post(core('configmaps'), configMap('w1'));
      await api.patch(core('configmaps/w1'), { data: { a: '1' } });
      await api.delete(core('configmaps/w1'));
      assert.deepEqual(await seen(watch), ['ADDED', 'w1']);
      assert.deepEqual(await seen(watch), ['MODIFIED', 'w1']);
      assert.deepEqual(await seen(watch), ['DELETED', 'w1']);
      watch.close();
    });

    test('a watch resumes in the past', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('past'));
      await api.patch(core('configmaps/past'), { data: { a: '1' } });
      const watch = await api.watch(`${core('configmaps')}?watch=1&resourceVersion=${versionOf(made)}`);
      const event = await watch.next();
      assert.equal(event?.type, 'MODIFIED');
      assert.deepEqual(event?.object['data'], { a: '1' });
      watch.close();
    });

    test('without resourceVersion a watch starts with what is there', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('there', {}, { labels: { start: 'now' } }));
      const watch = await api.watch(`${core('configmaps')}?watch=true&labelSelector=start%3Dnow`);
      assert.deepEqual(await seen(watch), ['ADDED', 'there']);
      watch.close();
    });

    test('an object that leaves the selection is DELETED for the watch, one that enters is ADDED', async () => {
      const { api, core } = here();
      const list = await api.get(core('configmaps'));
      const watch = await api.watch(
        `${core('configmaps')}?watch=1&labelSelector=in%3Dyes&resourceVersion=${versionOf(list)}`,
      );
      await api.post(core('configmaps'), configMap('moving'));
      await api.patch(core('configmaps/moving'), { metadata: { labels: { in: 'yes' } } });
      const left = await api.patch(core('configmaps/moving'), { metadata: { labels: { in: 'no' } } });
      assert.deepEqual(await seen(watch), ['ADDED', 'moving']);
      const gone = await watch.next();
      assert.equal(gone?.type, 'DELETED');
      assert.equal(at(gone?.object, 'metadata', 'resourceVersion'), versionOf(left));
      watch.close();
    });

    test('a write that changes nothing is no event', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('quiet', { a: '1' }));
      const watch = await api.watch(`${core('configmaps')}?watch=1&resourceVersion=${versionOf(made)}`);
      await api.patch(core('configmaps/quiet'), { data: { a: '1' } });
      await api.patch(core('configmaps/quiet'), { data: { a: '2' } });
      const event = await watch.next();
      assert.deepEqual(event?.object['data'], { a: '2' });
      watch.close();
    });

    test('a watch ends after timeoutSeconds', async () => {
      const { api, core } = here();
      const list = await api.get(core('configmaps'));
      const watch = await api.watch(
        `${core('configmaps')}?watch=1&timeoutSeconds=1&resourceVersion=${versionOf(list)}`,
      );
      assert.equal(await watch.next(), undefined);
    });

    test('a resourceVersion from before a compaction gives an ERROR event with 410', async (context) => {
      const { api, core, target: server } = here();
      if (server.compact === undefined) return context.skip('this server can not be told to compact');
      const list = await api.get(core('configmaps'));
      await api.post(core('configmaps'), configMap('later'));
      await server.compact();
      const watch = await api.watch(`${core('configmaps')}?watch=1&resourceVersion=${versionOf(list)}`);
      const event = await watch.next();
      assert.equal(event?.type, 'ERROR');
      assert.equal(event?.object['code'], 410);
      assert.equal(event?.object['reason'], 'Expired');
      assert.equal(await watch.next(), undefined);
    });

    test('a streamed list ends with a bookmark that says so', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('streamed', {}, { labels: { stream: 'yes' } }));
      const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
      const watch = await api.watch(`${core('configmaps')}?${query}&labelSelector=stream%3Dyes`);
      assert.deepEqual(await seen(watch), ['ADDED', 'streamed']);
      const bookmark = await watch.next();
      assert.equal(bookmark?.type, 'BOOKMARK');
      assert.equal(at(bookmark?.object, 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
      watch.close();
    });

    test('a list from the future is a Timeout', async () => {
      const { api, core } = here();
      const list = await api.get(core('configmaps'));
      const answer = await api.get(`${core('configmaps')}?resourceVersion=${Number(versionOf(list)) + 1_000_000}`);
      assert.equal(answer.code, 504);
      assert.equal(field(answer, 'reason'), 'Timeout');
    });
  });
}
