import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readObjects } from '../../../sandbox/install.ts';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import type { JsonObject } from '../../../sandbox/kube/json.ts';
import { KINDS } from '../../../src/api/index.ts';
import { Api, type Target } from './contract/api.ts';
import { type RealServer, startRealServer, whyNotReal } from './real.ts';
import { STORIES } from './stories/index.ts';
import { KNOWN, withoutKnown } from './stories/known.ts';
import { type Line, type Story, Teller } from './stories/story.ts';

const CRDS = resolve(import.meta.dirname, '../../../crds');
const recordOf = (story: Story): string =>
  join(import.meta.dirname, 'recorded', `${story.name.replaceAll(' ', '-')}.json`);

async function installDefinitions(api: Api): Promise<void> {
  for (const { plural } of KINDS) {
    for (const definition of await readObjects(join(CRDS, `${plural}.yaml`))) {
      const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      const made = await api.post(path, definition as unknown as JsonObject);
      assert.equal(made.code, 201, made.text);
    }
    while ((await api.get(`/apis/qdrant-librarian.io/v1alpha1/${plural}`)).code !== 200) await sleep(50);
  }
}

async function tell(story: Story, index: number, api: Api): Promise<readonly Line[]> {
  const namespace = `story-${index}`;
  const made = await api.post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  assert.equal(made.code, 201, made.text);
  const teller = new Teller(api, namespace);
  await story.tell(teller);
  return teller.lines;
}

const recorded = async (story: Story): Promise<readonly Line[]> =>
  JSON.parse(await readFile(recordOf(story), 'utf8')) as Line[];

type Edit = (line: Line) => unknown;

/** Step by step, so that a failure names the step. */
function compare(told: readonly Line[], record: readonly Line[], edit: Edit = (line) => line): void {
  assert.equal(told.length, record.length);
  for (const [index, line] of told.entries()) {
    const expected = record[index];
    assert.deepEqual(edit(line), expected === undefined ? undefined : edit(expected));
  }
}

function stories(title: string, skip: string | false, options: { target: () => Promise<Target>; real: boolean }): void {
  describe(title, { skip }, () => {
    let api: Api;
    before(async () => {
      api = new Api(await options.target());
      await installDefinitions(api);
    });
    after(() => api.close());
    for (const [index, story] of STORIES.entries()) {
      test(story.name, async () => {
        const told = await tell(story, index, api);
        if (options.real && process.env['RECORD'] !== undefined) {
          await writeFile(recordOf(story), `${JSON.stringify(told, undefined, 1)}\n`);
        }
        compare(told, await recorded(story), options.real ? undefined : (line) => withoutKnown(story.name, line));
      });
    }
  });
}

describe('stories', () => {
  let real: RealServer | undefined;
  let embedded: ApiServer | undefined;
  after(async () => {
    await real?.stop();
    await embedded?.stop();
  });
  stories('a real API server tells them as recorded', whyNotReal, {
    real: true,
    target: async () => {
      real = await startRealServer();
      return real;
    },
  });
  stories('the embedded API server tells them as a real one', false, {
    real: false,
    target: async () => {
      let addresses = 0;
      embedded = await startApiServer({ allocateClusterIP: () => `10.0.0.${++addresses}` });
      const { url, caPem } = embedded;
      return { url, caPem, token: embedded.tokenFor('system:admin') };
    },
  });
});

test('every known difference is written down', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../../../docs/embedded-differences.md'), 'utf8');
  for (const { why } of KNOWN) assert.ok(text.includes(why), why);
});
