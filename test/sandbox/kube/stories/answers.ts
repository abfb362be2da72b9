import { asArray, asObject, at, type JsonObject, omit, textOf } from '../../../../sandbox/kube/json.ts';
import { APPLY, JSON_PATCH, MERGE } from '../contract/api.ts';
import { configMap, nameOf, statefulSet, versionOf } from '../contract/world.ts';
import { json } from './cluster-objects.ts';
import { TABLE } from './kinds.ts';
import type { Story } from './story.ts';

/** What a server says to requests that it can't serve. */
export const refusals: Story = {
  name: 'refusals',
  tell: async (teller) => {
    const maps = teller.core('configmaps');
    const sets = teller.named('apps/v1', 'statefulsets');
    await teller.send('POST a', maps, { body: configMap('a', { x: '1' }) });
    await teller.send('POST a again', maps, { body: configMap('a') });
    await teller.send('GET nobody', `${maps}/nobody`);
    await teller.send('DELETE nobody', `${maps}/nobody`);
    await teller.send('PATCH nobody', `${maps}/nobody`, { body: {}, type: MERGE });
    await teller.send('PUT nobody', `${maps}/nobody`, { body: configMap('nobody') });
    await teller.send('GET an unknown kind', teller.core('nothings'));
    await teller.send('GET an unknown group', teller.named('no.such.group/v1', 'things'));
    await teller.send('GET an unknown path', '/nowhere');
    await teller.send('GET status of a kind without', `${maps}/a/status`);
    await teller.send('GET scale of a kind without', `${maps}/a/scale`);
    await teller.send('POST to an object', `${maps}/a`, { body: configMap('a') });
    await teller.send('PUT to a collection', maps, { body: configMap('a') });
    await teller.send('POST no object', maps, { body: [1] });
    await teller.send('POST no kind', maps, { body: { metadata: { name: 'x' } } });
    await teller.send('POST another kind', maps, { body: { ...configMap('x'), kind: 'Secret' } });
    await teller.send('POST another version', maps, { body: { ...configMap('x'), apiVersion: 'v2' } });
    await teller.send('POST without a name', maps, { body: configMap('') });
    await teller.send('POST a bad name', maps, { body: configMap('Not_A_Name') });
    await teller.send('POST a long name', maps, { body: configMap('x'.repeat(254)) });
    await teller.send('POST another namespace', maps, { body: configMap('x', {}, { namespace: 'default' }) });
    await teller.send('POST a version', maps, { body: configMap('x', {}, { resourceVersion: '7' }) });
    await teller.send('POST bad labels', maps, {
      body: configMap('x', {}, { labels: { 'a b': 'c', ok: 'not ok!' }, annotations: { '-': 'x' } }),
    });
    await teller.send('POST bad keys', maps, { body: configMap('x', { 'a/b': '1' }) });
    await teller.send('POST wrong types', maps, { body: configMap('x', { a: 1 }) });
    await teller.send('POST unknown fields', `${maps}?fieldValidation=Strict`, { body: { ...configMap('x'), odd: 1 } });
    await teller.send('POST with a wrong validation', `${maps}?fieldValidation=Odd`, { body: configMap('x') });
    await teller.send('POST with a wrong dry run', `${maps}?dryRun=Some`, { body: configMap('x') });
    await teller.send('POST to no namespace', '/api/v1/namespaces/no-such-place/configmaps', { body: configMap('x') });
    await teller.send('GET with a wrong field', `${maps}?fieldSelector=data.x%3D1`);
    await teller.send('GET with a wrong label', `${maps}?labelSelector=${encodeURIComponent('a in (')}`);
    await teller.send('GET with a wrong limit', `${maps}?limit=many`);
    await teller.send('GET with a wrong token', `${maps}?continue=xyz`);
    await teller.send('GET with a wrong version', `${maps}?resourceVersion=abc`);
    await teller.send('GET with a token and a version', `${maps}?continue=xyz&resourceVersion=5`);
    await teller.send('GET a match without a version', `${maps}?resourceVersionMatch=Exact`);
    await teller.send('PATCH in an unknown way', `${maps}/a`, { body: {}, type: 'text/plain' });
    await teller.send('PATCH a test that fails', `${maps}/a`, {
      body: [{ op: 'test', path: '/data/x', value: '2' }],
      type: JSON_PATCH,
    });
    await teller.send('PATCH a path that is not', `${maps}/a`, {
      body: [{ op: 'remove', path: '/data/none' }],
      type: JSON_PATCH,
    });
    await teller.send('PATCH an unknown operation', `${maps}/a`, {
      body: [{ op: 'mix', path: '/data/none' }],
      type: JSON_PATCH,
    });
    await teller.send('PATCH no patch', `${maps}/a`, { body: { a: 1 }, type: JSON_PATCH });
    await teller.send('PATCH another name', `${maps}/a`, { body: { metadata: { name: 'b' } }, type: MERGE });
    await teller.send('PATCH another uid', `${maps}/a`, { body: { metadata: { uid: 'b' } }, type: MERGE });
    await teller.send('PATCH an old version', `${maps}/a`, {
      body: { metadata: { resourceVersion: '1' }, data: { y: '1' } },
      type: MERGE,
    });
    await teller.send('PATCH without a manager', `${maps}/a`, { body: configMap('a'), type: APPLY });
    await teller.send('PUT an old version', `${maps}/a`, { body: configMap('a', {}, { resourceVersion: '1' }) });
    await teller.send('DELETE with another uid', `${maps}/a`, { body: { preconditions: { uid: 'other' } } });
    await teller.send('DELETE with an old version', `${maps}/a`, { body: { preconditions: { resourceVersion: '1' } } });
    await teller.send('DELETE in an odd way', `${maps}/a`, { body: { propagationPolicy: 'Sideways' } });
    await teller.send('POST a set without anything', sets, { body: { ...statefulSet('x'), spec: {} } });
    await teller.send('POST a set whose labels differ', sets, {
      body: statefulSet('x', { selector: { matchLabels: { app: 'y' } } }),
    });
    await teller.send('POST a set with a wrong type', sets, { body: statefulSet('x', { replicas: 'three' }) });
    await teller.send('POST a set with a negative number', sets, { body: statefulSet('x', { replicas: -1 }) });
    await teller.send('POST a set', sets, { body: statefulSet('fixed'), look: (body) => at(body, 'metadata', 'name') });
    await teller.send('PATCH what is fixed', `${sets}/fixed`, { body: { spec: { serviceName: 'else' } }, type: MERGE });
    await teller.send('PATCH scale to nonsense', `${sets}/fixed/scale`, {
      body: { spec: { replicas: -1 } },
      type: MERGE,
    });
  },
};

/** Lists: pages, selectors, tables, and the Status of deletions. */
export const lists: Story = {
  name: 'lists and deletions',
  tell: async (teller) => {
    const maps = teller.core('configmaps');
    for (const name of ['a', 'b', 'c', 'd']) {
      await teller.send(`POST ${name}`, maps, {
        body: configMap(name, {}, { labels: { page: 'yes', last: String(name === 'd') } }),
        look: nameLook,
      });
    }
    const page = `${maps}?labelSelector=page%3Dyes&limit=3`;
    const first = await teller.send('GET first page', page, { look: (body) => names(body) });
    const token = encodeURIComponent(textOf(at(first.body, 'metadata', 'continue')));
    await teller.send('GET second page', `${page}&continue=${token}`, { look: (body) => names(body) });
    await teller.send('GET pages of everything', `${maps}?limit=2`, {
      look: (body) => ({ remaining: at(body, 'metadata', 'remainingItemCount') ?? null }),
    });
    for (const selector of [
      'last=true',
      'last!=true',
      'last in (true,x)',
      'last notin (true)',
      '!none',
      'none',
      'last==true',
    ]) {
      await teller.send(`GET ${selector}`, `${maps}?labelSelector=${encodeURIComponent(`page,${selector}`)}`, {
        look: (body) => names(body),
      });
    }
    for (const selector of ['metadata.name=a', 'metadata.name!=a', 'metadata.name=a,metadata.namespace=else']) {
      await teller.send(`GET ${selector}`, `${maps}?labelSelector=page&fieldSelector=${encodeURIComponent(selector)}`, {
        look: (body) => names(body),
      });
    }
    await teller.send('GET a list at 0', `${maps}?labelSelector=page&resourceVersion=0&limit=1`, {
      look: (body) => names(body),
    });
    await teller.send('GET metadata only', `${maps}/a`, {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json',
    });
    await teller.send('GET table', `${maps}?labelSelector=page`, { accept: TABLE, look: undescribed });
    await teller.send('GET table of nobody', `${maps}/nobody`, { accept: TABLE });
    await teller.send('DELETE a', `${maps}/a`);
    await teller.send('DELETE b dry', `${maps}/b?dryRun=All`);
    await teller.send('GET b', `${maps}/b`, { look: nameLook });
    await teller.send('PATCH b with a finalizer', `${maps}/b`, {
      body: { metadata: { finalizers: ['example.org/hold'] } },
      type: MERGE,
    });
    await teller.send('DELETE b', `${maps}/b`);
    await teller.send('DELETE b again', `${maps}/b`);
    await teller.send('PATCH b with another finalizer', `${maps}/b`, {
      body: { metadata: { finalizers: ['example.org/hold', 'example.org/more'] } },
      type: MERGE,
    });
    await teller.send('PATCH b without finalizer', `${maps}/b`, {
      body: { metadata: { finalizers: null } },
      type: MERGE,
    });
    await teller.send('DELETE c in the foreground', `${maps}/c`, { body: { propagationPolicy: 'Foreground' } });
    await teller.send('DELETE c in the background', `${maps}/c`, { body: { propagationPolicy: 'Background' } });
    await teller.send('DELETE d and its orphans', `${maps}/d`, { body: { propagationPolicy: 'Orphan' } });
    await teller.send('DELETE all', `${maps}?labelSelector=page`);
    const made = await teller.send('POST generated', maps, {
      body: configMap('', {}, { generateName: 'made-' }),
      look: (body) => textOf(at(body, 'metadata', 'name')).length,
    });
    await teller.send('DELETE generated', `${maps}/${nameOf(made)}`, { look: (body) => body['status'] });
  },
};

/** A table without what its columns mean: the embedded server has no documentation of built-in kinds. */
export const undescribed = (body: JsonObject): JsonObject => ({
  ...body,
  columnDefinitions: asArray(body['columnDefinitions']).map((column) => omit(asObject(column), 'description')),
});

const nameLook = (body: object): string => textOf(at(json(body), 'metadata', 'name'));
const names = (body: object) => {
  const list = json(body);
  return {
    names: asArray(list['items']).map((item) => textOf(at(item, 'metadata', 'name'))),
    metadata: omit(asObject(list['metadata']), 'resourceVersion'),
  };
};

/** Watches: what an event carries. */
export const watches: Story = {
  name: 'watches',
  tell: async (teller) => {
    const maps = teller.core('configmaps');
    const first = await teller.send('POST a', maps, { body: configMap('a', {}, { labels: { w: 'y' } }) });
    const open = (query: string) => teller.api.watch(`${maps}?watch=1&${query}`);
    const plain = await open(`resourceVersion=${versionOf(first)}&labelSelector=w`);
    await teller.send('PATCH a', `${maps}/a`, { body: { data: { x: '1' } }, type: MERGE });
    await teller.send('PATCH a out of the selection', `${maps}/a`, {
      body: { metadata: { labels: null } },
      type: MERGE,
    });
    await teller.send('PATCH a back', `${maps}/a`, { body: { metadata: { labels: { w: 'z' } } }, type: MERGE });
    await teller.send('DELETE a', `${maps}/a`);
    await teller.events('watched', plain, 4);
    plain.close();
    await teller.send('POST b', maps, { body: configMap('b', {}, { labels: { v: 'y' } }) });
    const initial = await open(
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=v',
    );
    await teller.events('streamed', initial, 1);
    const bookmark = await initial.next();
    teller.note('bookmark', {
      type: bookmark?.type ?? '',
      kind: at(bookmark?.object, 'kind') ?? '',
      annotations: at(bookmark?.object, 'metadata', 'annotations') ?? {},
    });
    initial.close();
    const old = await open('resourceVersion=1');
    const error = await old.next();
    teller.note('too old', { type: error?.type ?? '', status: omit(error?.object ?? {}, 'message') });
    old.close();
    await teller.send('GET a watch that is wrong', `${maps}?watch=1&sendInitialEvents=true`);
    await teller.send('GET a watch of a wrong version', `${maps}?watch=1&resourceVersion=abc`);
    await teller.send('GET a watch with a wrong selector', `${maps}?watch=1&fieldSelector=x%3Dy`);
  },
};
