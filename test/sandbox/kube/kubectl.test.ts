import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { hasKubectl } from '../../../e2e/grounds/has-kubectl.ts';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { statefulSet } from './contract/world.ts';

const run = promisify(execFile);

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'cups.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Cup', plural: 'cups', shortNames: ['cp'], categories: ['kitchen'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { size: { type: 'integer', minimum: 1, description: 'How much fits in.' } },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      },
    ],
  },
};

const cup = (size: number) => ({
  apiVersion: 'example.com/v1',
  kind: 'Cup',
  metadata: { name: 'blue' },
  spec: { size },
});

/** Everyday commands of a real kubectl. Each is a process, so each test walks a whole story. */
describe('kubectl works', { skip: hasKubectl() ? false : 'kubectl is not on PATH' }, () => {
  let server: ApiServer;
  let directory: string;
  const environment = () => ({ ...process.env, KUBECONFIG: join(directory, 'config'), HOME: directory });

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('kubectl', args, { env: environment() });
    return stdout.trim();
  };
  const failing = async (...args: string[]): Promise<string> => {
    try {
      await run('kubectl', args, { env: environment() });
    } catch (error) {
      return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    }
    throw new Error(`kubectl ${args.join(' ')} should have failed`);
  };
  const file = async (name: string, ...objects: object[]): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    return path;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubectl-test-'));
    let addresses = 0;
    server = await startApiServer({
      allocateClusterIP: () => `127.80.0.${++addresses}`,
      podLogs: ({ pod }) => Readable.from([`${pod} says hello\n`]),
    });
    await writeFile(join(directory, 'config'), server.kubeconfig('system:admin'), { mode: 0o600 });
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  test('apply, get, scale, annotate, label, patch, edit, describe and delete of a built-in kind', async () => {
    const path = await file('set.json', statefulSet('docs'));
    assert.equal(await kubectl('apply', '-f', path), 'statefulset.apps/docs created');
    assert.match(
      await kubectl('get', 'sts', '-o', 'wide'),
      /^NAME +READY +AGE +CONTAINERS +IMAGES\ndocs +0\/0 .* qdrant +qdrant\/qdrant:v1\.18\.3$/,
    );
    await kubectl('scale', 'sts', 'docs', '--replicas=3');
    await kubectl('annotate', 'sts', 'docs', 'a=b');
    await kubectl('label', 'sts', 'docs', 'tier=x');
    await kubectl(
      'patch',
      'sts',
      'docs',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"name":"qdrant","image":"x:1"}]}}}}',
    );
    const [text, images] = await Promise.all([
      kubectl('describe', 'sts', 'docs'),
      kubectl('get', 'sts', '-l', 'tier=x', '-o', 'jsonpath={.items[*].spec.template.spec.containers[*].image}'),
    ]);
    assert.match(text, /Replicas: +3 desired \| 0 total/);
    assert.equal(images, 'x:1');
    assert.equal(await kubectl('delete', 'sts', 'docs'), 'statefulset.apps "docs" deleted');
  });

  test('a custom kind: short names, categories, explain, apply both ways, wait, get -w, field errors', async () => {
    await kubectl('create', '-f', await file('crd.json', DEFINITION));
    const path = await file('cup.json', cup(1));
    await kubectl('apply', '-f', path);
    assert.equal(await kubectl('apply', '-f', path), 'cup.example.com/blue unchanged');
    assert.equal(await kubectl('apply', '--server-side', '-f', path), 'cup.example.com/blue serverside-applied');
    const [table, category, explained] = await Promise.all([
      kubectl('get', 'cp'),
      kubectl('get', 'kitchen', '-o', 'name'),
      kubectl('explain', 'cups.spec.size'),
    ]);
    assert.match(table, /^NAME +SIZE\nblue +1$/);
    assert.equal(category, 'cup.example.com/blue');
    assert.match(explained, /How much fits in\./);
    const watcher = spawn('kubectl', ['get', 'cups', '-w', '--no-headers'], { env: environment() });
    const lines = createInterface(watcher.stdout)[Symbol.asyncIterator]();
    assert.match(String((await lines.next()).value), /^blue +1/);
    await kubectl('scale', 'cup', 'blue', '--replicas=5');
    assert.match(String((await lines.next()).value), /^blue +5/);
    watcher.kill();
    const condition = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}';
    await kubectl('patch', 'cup', 'blue', '--subresource=status', '--type=merge', '-p', condition);
    const [waited, refused, unknown] = await Promise.all([
      kubectl('wait', '--for=condition=Ready', 'cup/blue', '--timeout=5s'),
      failing('patch', 'cup', 'blue', '--type=merge', '-p', '{"spec":{"size":0}}'),
      failing('create', '-f', await file('odd.json', { ...cup(1), metadata: { name: 'odd' }, spec: { sise: 1 } })),
    ]);
    assert.equal(waited, 'cup.example.com/blue condition met');
    assert.match(refused, /spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/);
    assert.match(unknown, /strict decoding error: unknown field "spec\.sise"/);
    assert.match(await kubectl('delete', 'cup', '--all'), /"blue" deleted/);
  });

  test('pods: logs, events, describe, delete; and the small commands that speak protobuf', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'talker' },
      spec: { containers: [{ name: 'main', image: 'a:1' }] },
    };
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'talker.1', namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      type: 'Normal',
      reason: 'Talked',
      action: 'Talk',
      note: 'it said something',
      reportingController: 'test',
      reportingInstance: 'test-0',
      regarding: { apiVersion: 'v1', kind: 'Pod', name: 'talker', namespace: 'default' },
    };
    await kubectl('create', '-f', await file('pod.json', pod, event));
    const [logs, described, events, can, who] = await Promise.all([
      kubectl('logs', 'talker'),
      kubectl('describe', 'pod', 'talker'),
      kubectl('events', '--for=pod/talker'),
      kubectl('auth', 'can-i', 'create', 'pods'),
      kubectl('auth', 'whoami'),
    ]);
    assert.equal(logs, 'talker says hello');
    assert.match(described, /Node: +<none>/);
    assert.match(events, /Talked +Pod\/talker +it said something/);
    assert.equal(can, 'yes');
    assert.match(who, /system:admin/);
    await kubectl('create', 'namespace', 'shelf');
    await kubectl('create', 'secret', 'generic', 'key', '-n', 'shelf', '--from-literal=a=b');
    assert.match(await kubectl('get', 'secrets', '-A', '--no-headers'), /^shelf +key +Opaque +1/);
    assert.equal(await kubectl('delete', 'pod', 'talker'), 'pod "talker" deleted');
  });
});
