import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
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

type Record = { readonly definitions: string; readonly lines: readonly Line[] };

const recorded = async (story: Story): Promise<Record> => JSON.parse(await readFile(recordOf(story), 'utf8')) as Record;

/** Digest of the definitions of our kinds. */
async function definitionsDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const { plural } of KINDS) hash.update(await readFile(join(CRDS, `${plural}.yaml`)));
  return hash.digest('hex').slice(0, 8);
}

const keyOf = ({ step, asked = '' }: Line): string => `${step} ${asked}`;

/** Asserts that the record is of these requests and, where they are ours, of these definitions. */
function assertFresh(story: Story, told: readonly Line[], record: Record, definitions: string): void {
  const how = 'the record is of other requests or definitions: write it anew with RECORD=1 and a real API server';
  assert.equal(record.definitions, story.ours === true ? definitions : '', how);
  assert.deepEqual(told.map(keyOf), record.lines.map(keyOf), how);
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
        const definitions = await definitionsDigest();
        if (options.real && process.env['RECORD'] !== undefined) {
          const record: Record = { definitions: story.ours === true ? definitions : '', lines: told };
          await writeFile(recordOf(story), `${JSON.stringify(record, undefined, 1)}\n`);
        }
        const record = await recorded(story);
        assertFresh(story, told, record, definitions);
        for (const [index, line] of told.entries()) {
          const expected = record.lines[index] as Line;
          if (options.real) assert.deepEqual(line, expected);
          else assert.deepEqual(withoutKnown(story.name, line), withoutKnown(story.name, expected));
        }
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
