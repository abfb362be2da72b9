import { randomUUID } from 'node:crypto';
import {
  CONFIG_MAPS,
  type Condition,
  Controller,
  DONE,
  finalizeConditions,
  Informer,
  type KubeClient,
  type KubeObject,
  LeaderElector,
  ownerReference,
  resourceType,
  specChanged,
  toController,
  watching,
} from '../../src/kube/index.ts';

// The text below this line stands in the documentation of src/kube/index.ts; a test compares the two.
type Greeting = KubeObject & { spec: { name: string }; status?: { conditions: Condition[] } };
const type = { apiVersion: 'example.com/v1', kind: 'Greeting' } as const;
const GREETINGS = resourceType<Greeting>({ ...type, group: 'example.com', version: 'v1', plural: 'greetings' });

export async function runOperator(client: KubeClient, leaseClient: KubeClient, signal: AbortSignal) {
  const greetings = new Informer({ client, type: GREETINGS });
  const configMaps = new Informer({ client, type: CONFIG_MAPS });
  const lease = { client: leaseClient, namespace: 'default', name: 'greeter', identity: randomUUID() };
  const elector = new LeaderElector(lease);
  const controller = new Controller({
    name: 'greeting',
    primary: greetings,
    filter: specChanged,
    watches: [watching({ informer: configMaps, map: toController(GREETINGS) })],
    assertLeading: () => elector.assertLeading(),
    reconcile: async (key, { signal }) => {
      const greeting = greetings.store.get(key);
      if (greeting === undefined) return DONE;
      const metadata = { ...key, ownerReferences: [ownerReference(greeting)] };
      const data = { text: `Hello, ${greeting.spec.name}` };
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as const;
      await client.apply(CONFIG_MAPS, configMap, { fieldManager: 'greeter', signal });
      const pass = { result: DONE, generation: greeting.metadata.generation ?? 0, now: new Date().toISOString() };
      const status = finalizeConditions(greeting.status?.conditions ?? [], pass);
      const report = { ...type, metadata: key, status };
      await client.apply(GREETINGS, report, { fieldManager: 'greeter-status', subresource: 'status', signal });
      return DONE;
    },
  });
  const onLeading = () => controller.start(signal);
  await Promise.all([greetings.start(signal), configMaps.start(signal), elector.run(signal, { onLeading })]);
}
