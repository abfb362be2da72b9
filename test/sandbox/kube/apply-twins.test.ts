import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import type { JsonObject } from '../../../sandbox/kube/json.ts';
import { type Answer, APPLY, Api, MERGE } from './contract/api.ts';
import { type RealServer, startRealServer, whyNotReal } from './real.ts';
import { Normal } from './stories/normal.ts';

const GROUP = 'twins.example.com';
const text = { type: 'string' };
const integer = { type: 'integer' };

const DEFINITION: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `twins.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Cluster',
    names: { kind: 'Twin', plural: 'twins' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  word: text,
                  withDefault: { ...text, default: 'x' },
                  part: { type: 'object', properties: { a: integer, b: { ...integer, default: 1 } } },
                  reference: {
                    type: 'object',
                    'x-kubernetes-map-type': 'atomic',
                    properties: { name: text, key: { ...text, default: 'k' } },
                  },
                  map: { type: 'object', additionalProperties: text },
                  words: { type: 'array', items: text },
                  set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
                  list: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: text, a: integer, b: { ...integer, default: 2 } },
                    },
                  },
                  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
              status: { type: 'object', properties: { a: integer, list: { type: 'array', items: text } } },
            },
          },
        },
      },
    ],
  },
};

const letter = fc.constantFrom('p', 'q', 'r');
const number = fc.constantFrom(1, 2);
const spec = fc.record(
  {
    word: letter,
    withDefault: letter,
    part: fc.record({ a: number, b: number }, { requiredKeys: [] }),
    reference: fc.record({ name: letter, key: letter }, { requiredKeys: [] }),
    map: fc.dictionary(letter, letter, { maxKeys: 2 }),
    words: fc.array(letter, { maxLength: 2 }),
    set: fc.uniqueArray(letter, { maxLength: 3 }),
    list: fc.uniqueArray(fc.record({ name: letter, a: number, b: number }, { requiredKeys: ['name'] }), {
      maxLength: 3,
      selector: ({ name }) => name,
    }),
    open: fc.dictionary(letter, fc.oneof(letter, fc.array(number, { maxLength: 2 })), { maxKeys: 2 }),
  },
  { requiredKeys: [] },
);
/** Not none: of empty labels a real server writes a version more when they are no longer named. */
const labels = fc.dictionary(letter, letter, { minKeys: 1, maxKeys: 2 });

type Step =
  | {
      readonly kind: 'apply' | 'merge' | 'replace';
      readonly manager: string;
      readonly force: boolean;
      readonly body: JsonObject;
    }
  | { readonly kind: 'status'; readonly manager: string; readonly force: boolean; readonly body: JsonObject };

const manager = fc.constantFrom('one', 'two', 'kubectl');
const change: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('apply', 'apply', 'apply', 'merge', 'replace'),
  manager,
  force: fc.boolean(),
  body: fc.record({ metadata: fc.record({ labels }, { requiredKeys: [] }), spec }),
});
const status: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('status'),
  manager,
  force: fc.boolean(),
  body: fc.record({
    status: fc.record({ a: number, list: fc.array(letter, { maxLength: 2 }) }, { requiredKeys: [] }),
  }),
});
const story = fc.array(fc.oneof({ weight: 5, arbitrary: change }, { weight: 1, arbitrary: status }), {
  minLength: 2,
  maxLength: 7,
});

const PATH = `/apis/${GROUP}/v1/twins`;
const RUNS = 100;
/** The same in every run, so that a failure is one of the code. */
const SEED = 4;

/** Random stories of several managers, told to a real and to the embedded API server: every answer must be the same. */
describe('managers meet the same fate on both servers', { skip: whyNotReal }, () => {
  let real: RealServer;
  let embedded: ApiServer;
  let apis: readonly Api[];
  let count = 0;

  before(async () => {
    real = await startRealServer();
    embedded = await startApiServer();
    const { url, caPem } = embedded;
    apis = [new Api({ url, caPem, token: embedded.tokenFor('system:admin') }), new Api(real)];
    for (const api of apis) {
      await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION);
      while ((await api.get(PATH)).code !== 200) await sleep(50);
    }
    // A moment later the kind is known to server-side apply, too.
    await sleep(2000);
  });
  after(async () => {
    await Promise.all(apis.map((api) => api.close()));
    await embedded.stop();
    await real.stop();
  });

  const take = async (api: Api, name: string, step: Step): Promise<Answer> => {
    const { metadata, ...rest } = step.body;
    const body = { apiVersion: `${GROUP}/v1`, kind: 'Twin', metadata: { ...(metadata as JsonObject), name }, ...rest };
    const query = `fieldManager=${step.manager}`;
    switch (step.kind) {
      case 'apply':
        return api.send('PATCH', `${PATH}/${name}?${query}&force=${step.force}`, { body, type: APPLY });
      case 'status':
        return api.send('PATCH', `${PATH}/${name}/status?${query}&force=${step.force}`, { body, type: APPLY });
      case 'merge':
        return api.send('PATCH', `${PATH}/${name}?${query}`, { body, type: MERGE });
      case 'replace': {
        const live = await api.get(`${PATH}/${name}`);
        if (live.code !== 200) return api.send('POST', `${PATH}?${query}`, { body });
        const { resourceVersion } = live.body['metadata'] as JsonObject;
        const versioned = { ...body, metadata: { ...body.metadata, resourceVersion } };
        return api.send('PUT', `${PATH}/${name}?${query}`, { body: versioned });
      }
    }
  };

  test('whatever they apply, patch and replace', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        const name = `t${count++}`;
        const told = await Promise.all(
          apis.map(async (api) => {
            const normal = new Normal();
            const lines: unknown[] = [];
            for (const step of steps) {
              const { code, body } = await take(api, name, step);
              lines.push({ step, code, body: normal.of(body) });
            }
            return lines;
          }),
        );
        const [mine = [], theirs = []] = told;
        for (const [index, line] of mine.entries()) assert.deepEqual(line, theirs[index]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
