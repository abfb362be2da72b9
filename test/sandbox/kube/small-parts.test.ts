import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { requestInfo } from '../../../sandbox/kube/access/request-info.ts';
import { selfSigned } from '../../../sandbox/kube/certificate.ts';
import { isObject, type Json } from '../../../sandbox/kube/json.ts';
import { jsonPatch } from '../../../sandbox/kube/patch/json-patch.ts';
import { mergePatch } from '../../../sandbox/kube/patch/merge-patch.ts';
import { strategicPatch } from '../../../sandbox/kube/patch/strategic-patch.ts';
import { matchesLabels, parseLabelSelector } from '../../../sandbox/kube/selectors.ts';
import { builtinSchema } from '../../../sandbox/kube/types/builtin-schemas.ts';
import { canonicalQuantity } from '../../../sandbox/kube/types/quantity.ts';
import { humanDuration } from '../../../sandbox/kube/view/age.ts';
import { jsonPath } from '../../../sandbox/kube/view/json-path.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('quantities are written in their shortest form', () => {
  const forms: [string, string | undefined][] = [
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['2000', '2k'],
    ['1500m', '1500m'],
    ['0', '0'],
    ['1e3', '1e3'],
    ['-1', '-1'],
    ['100Mi', '100Mi'],
    ['1 Gi', undefined],
    ['Gi', undefined],
  ];
  for (const [given, expected] of forms) assert.equal(canonicalQuantity(given), expected, given);
});

test('writing a quantity twice changes nothing more', () => {
  const quantity = fc
    .tuple(fc.nat(1_000_000), fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi'))
    .map(([n, s]) => `${n}${s}`);
  fc.assert(
    fc.property(quantity, (text) => {
      const once = canonicalQuantity(text) ?? '';
      assert.equal(canonicalQuantity(once), once);
    }),
  );
});

test('ages read as kubectl prints them', () => {
  const ages: [number, string][] = [
    [5 * SECOND, '5s'],
    [119 * SECOND, '119s'],
    [5 * MINUTE + 3 * SECOND, '5m3s'],
    [2 * HOUR, '120m'],
    [5 * HOUR + 30 * MINUTE, '5h30m'],
    [30 * HOUR, '30h'],
    [3 * DAY + 4 * HOUR, '3d4h'],
    [100 * DAY, '100d'],
    [3 * 365 * DAY, '3y'],
  ];
  for (const [milliseconds, text] of ages) assert.equal(humanDuration(milliseconds), text);
});

test('json paths of printer columns', () => {
  const object = {
    a: { 'b.c': [1, { d: 2 }] },
    list: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  };
  assert.deepEqual(jsonPath(object, '.list[?(@.type=="Ready")].status'), ['True']);
  assert.deepEqual(jsonPath(object, '.list[*].type'), ['Ready', 'Other']);
  assert.deepEqual(jsonPath(object, '.a.b\\.c[0]'), [1]);
  assert.deepEqual(jsonPath(object, ".a['b.c'][1].d"), [2]);
  assert.deepEqual(jsonPath(object, '.list[-1].status'), ['False']);
  assert.deepEqual(jsonPath(object, '.nothing.here'), []);
});

test('a certificate names its hosts and signs itself', () => {
  const { certPem } = selfSigned(['127.0.0.1', 'localhost'], Date.now());
  const certificate = new X509Certificate(certPem);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.ca, true);
  assert.ok(certificate.verify(certificate.publicKey));
});

test('requests are told apart as the authorizer needs them', () => {
  const info = (method: string, path: string) => {
    const { verb, group, plural, subresource, namespace, name } = requestInfo(method, new URL(path, 'http://x'));
    return [verb, group, plural, subresource, namespace, name].join('|');
  };
  assert.equal(info('GET', '/api/v1/namespaces/a'), 'get||namespaces||a|a');
  assert.equal(info('PUT', '/api/v1/namespaces/a/finalize'), 'update||namespaces|finalize|a|a');
  assert.equal(info('GET', '/api/v1/namespaces/a/pods'), 'list||pods||a|');
  assert.equal(info('GET', '/api/v1/namespaces/a/pods/b/log'), 'get||pods|log|a|b');
  assert.equal(info('GET', '/apis/apps/v1/statefulsets?watch=1'), 'watch|apps|statefulsets|||');
  assert.equal(info('DELETE', '/apis/apps/v1/namespaces/a/statefulsets'), 'deletecollection|apps|statefulsets||a|');
  assert.equal(info('GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Db'), 'list||pods||a|b');
  assert.equal(info('POST', '/healthz'), 'post|||||');
});

test('selectors with sets, equality and presence', () => {
  const labels = { a: '1', b: '2' };
  const matches = (text: string): boolean => matchesLabels(parseLabelSelector(text), labels);
  assert.ok(matches('a=1,b==2'));
  assert.ok(matches('a in (0, 1), !c'));
  assert.ok(matches('c notin (1)'));
  assert.ok(matches('c!=1'));
  assert.ok(!matches('a!=1'));
  assert.ok(!matches('c'));
  assert.throws(() => parseLabelSelector('a b'), /unable to parse requirement/);
});

const json: fc.Arbitrary<Json> = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);

describe('patches', () => {
  test('a JSON patch that adds and removes again leaves the document as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b/c', '~'), json, { maxKeys: 3 }), json, (document, value) => {
        const patched = jsonPatch(document, [
          { op: 'add', path: '/new', value },
          { op: 'test', path: '/new', value },
          { op: 'remove', path: '/new' },
        ]);
        assert.deepEqual(patched, { ...document });
      }),
    );
  });

  test('move, copy and positions in lists', () => {
    const patched = jsonPatch({ list: [1, 3], a: { b: 1 } }, [
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'add', path: '/list/-', value: 4 },
      { op: 'copy', from: '/a/b', path: '/c' },
      { op: 'move', from: '/a', path: '/d' },
      { op: 'replace', path: '/list/0', value: 0 },
    ]);
    assert.deepEqual(patched, { list: [0, 2, 3, 4], c: 1, d: { b: 1 } });
  });

  test('a merge patch of the wanted document over the given one gives the wanted one, nulls aside', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b'), fc.nat()), (wanted) => {
        assert.deepEqual(mergePatch({}, wanted), { ...wanted });
        assert.deepEqual(mergePatch(wanted, wanted), { ...wanted });
      }),
    );
  });

  test('strategic directives: replace, delete from a primitive list, order, retained keys', () => {
    const schema = builtinSchema('V1Pod');
    const pod: Json = {
      metadata: { finalizers: ['a', 'b'] },
      spec: { containers: [{ name: 'x' }, { name: 'y' }], volumes: [{ name: 'v', emptyDir: {} }] },
    };
    const patched = strategicPatch(
      pod,
      {
        metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] },
        spec: {
          '$setElementOrder/containers': [{ name: 'y' }, { name: 'x' }],
          containers: [{ name: 'y', image: 'i' }],
          volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }],
        },
      },
      schema,
    );
    assert.ok(isObject(patched));
    assert.deepEqual(patched, {
      metadata: { finalizers: ['b'] },
      spec: {
        containers: [{ name: 'y', image: 'i' }, { name: 'x' }],
        volumes: [{ name: 'v', configMap: { name: 'c' } }],
      },
    });
    const replaced = strategicPatch(pod, { spec: { containers: [{ $patch: 'replace' }, { name: 'z' }] } }, schema);
    assert.deepEqual(isObject(replaced) && isObject(replaced['spec']) && replaced['spec']['containers'], [
      { name: 'z' },
    ]);
  });
});
