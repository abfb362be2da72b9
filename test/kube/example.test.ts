import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Condition, ConfigMap, KubeObject } from '../../src/kube/index.ts';
import { runOperator } from './example-operator.ts';
import { ObjectServer } from './object-server.ts';
import { until } from './scripted-server.ts';

type Greeting = KubeObject & {
  spec: { name: string };
  status?: { conditions: Condition[]; observedGeneration: number };
};

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');

test('the example in the documentation is the one that is tested', async () => {
  const documented = /```ts\n(.*?)\n \* ```/s.exec(await read('../../src/kube/index.ts'))?.[1] ?? '';
  const tested = (await read('example-operator.ts')).split('compares the two.\n')[1] ?? '';
  assert.equal(documented.replaceAll(/^ \* ?/gm, ''), tested.trimEnd());
});

test('the operator of the documentation does and repairs its work, and reports it', async () => {
  const server = await ObjectServer.start();
  await using _ = server.http;
  const stop = new AbortController();
  const running = runOperator(server.http.client(), server.http.client(), stop.signal);
  const greet = (name: string): void => {
    const metadata = { namespace: 'ns', name: 'g' };
    const greeting: Greeting = { apiVersion: 'example.com/v1', kind: 'Greeting', metadata, spec: { name } };
    server.put('greetings', greeting);
  };
  const configMap = (): ConfigMap | undefined => server.get<ConfigMap>('configmaps', 'ns/g');
  const status = (): Greeting['status'] => server.get<Greeting>('greetings', 'ns/g')?.status;
  greet('world');
  await until('the config map', () => configMap()?.data?.['text'] === 'Hello, world');
  await until('the status', () => status()?.conditions[0]?.status === 'True');
  assert.equal(status()?.observedGeneration, 1);
  greet('moon');
  await until('the change', () => configMap()?.data?.['text'] === 'Hello, moon' && status()?.observedGeneration === 2);
  const before = configMap() ?? assert.fail('no config map');
  server.put('configmaps', { ...before, data: { text: 'broken' } });
  await until('the repair', () => configMap()?.data?.['text'] === 'Hello, moon');
  stop.abort();
  await running;
});
