import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { CLUSTERS } from '../../../sandbox/run/wait.ts';
import { EVENTS, type KubeEvent, PODS, type Pod, SECRETS, type Secret } from '../../../src/kube/index.ts';
import type { Stage } from '../stage.ts';
import type { Witness } from '../witness.ts';
import { Inquiry } from './inquiry.ts';
import { inquireLogs } from './logs.ts';
import { asYaml, inquireObjects } from './objects.ts';
import { inquirePeers } from './peers.ts';
import { containerEntries, eventEntries, logEntries, timeline } from './timeline.ts';

export type Failure = {
  readonly stage: Stage;
  readonly witness: Witness;
  readonly title: string;
  readonly error: unknown;
  /** Milliseconds since the epoch at which the scenario began. */
  readonly began: number;
};

const LAST_LINES = 15;

/**
 * Writes down what a person needs to understand why a scenario failed. Whatever can't be had is named in
 * `not-there.txt`; what the witness saw last stands in for it. No value of a Secret is written.
 *
 * @returns the end of the timeline
 */
export async function leaveFolder(folder: string, failure: Failure): Promise<string> {
  const { stage, witness, title, error, began } = failure;
  const { admin, namespace, ground, diary } = stage;
  const operatorNamespace = ground.operator.namespace;
  const inquiry = new Inquiry();
  const { signal } = inquiry;
  const list = <T>(what: string, ask: () => Promise<T[]>): Promise<T[] | undefined> => inquiry.ask(what, ask);

  const [clusters, pods, operatorPods = [], secrets, operatorSecrets = [], events = [], operatorEvents = []] =
    await Promise.all([
      list('clusters', () => admin.listAll(CLUSTERS, { namespace, signal })),
      list<Pod>('pods', () => admin.listAll(PODS, { namespace, signal })),
      list<Pod>('pods of the operator', () => admin.listAll(PODS, { namespace: operatorNamespace, signal })),
      list<Secret>('secrets', () => admin.listAll(SECRETS, { namespace, signal })),
      list<Secret>('secrets of the operator', () => admin.listAll(SECRETS, { namespace: operatorNamespace, signal })),
      list<KubeEvent>('events', () => admin.listAll(EVENTS, { namespace, signal })),
      list<KubeEvent>('events of the operator', () => admin.listAll(EVENTS, { namespace: operatorNamespace, signal })),
      inquireObjects(inquiry, { client: admin, namespace, operatorNamespace }),
      keepText(inquiry, 'operator/metrics.txt', () => ground.operatorMetrics()),
    ]);
  for (const secret of [...(secrets ?? []), ...operatorSecrets]) witness.secretValues.add(secret);
  const knownSecrets = secrets ?? witness.secrets.store.list();
  const knownPods = pods ?? witness.pods.store.list();
  const knownClusters = clusters ?? witness.clusters.store.list();
  if (clusters === undefined) {
    const seen = [...knownClusters, ...witness.libraries.store.list(), ...knownPods];
    inquiry.files.set('seen-last.yaml', asYaml(seen));
  }
  const secretData = (wanted: string) => {
    const found = knownSecrets.find(({ metadata }) => metadata.name === wanted)?.data;
    return found === undefined ? undefined : decoded(found);
  };
  await Promise.all([
    ...knownClusters.map((cluster) => inquirePeers(inquiry, cluster, secretData)),
    inquireLogs(inquiry, { client: admin, pods: knownPods, folder: 'logs' }),
    inquireLogs(inquiry, { client: admin, pods: operatorPods, folder: 'operator/logs' }),
  ]);

  const entries = [
    ...diary.entries,
    ...eventEntries([...events, ...operatorEvents]).filter(({ at }) => at >= began - 1000),
    ...containerEntries([...knownPods, ...operatorPods]),
    ...[...inquiry.files].flatMap(([file, text]) => (file.endsWith('.log') ? logEntries(file, text) : [])),
  ];
  const lines = timeline(
    entries.filter(({ at }) => at >= began - 60_000),
    began,
  );
  inquiry.files.set('timeline.txt', lines);
  inquiry.files.set(
    'failure.txt',
    `${title}\n\nnamespace ${namespace}, ground ${ground.name}\n\n${inspect(error, { depth: 5 })}\n`,
  );
  if (inquiry.troubles.length > 0) inquiry.files.set('not-there.txt', `${inquiry.troubles.join('\n')}\n`);
  const written = await write(folder, inquiry.files, witness);
  return written.get('timeline.txt')?.trimEnd().split('\n').slice(-LAST_LINES).join('\n') ?? '';
}

async function keepText(inquiry: Inquiry, file: string, ask: () => Promise<string>): Promise<void> {
  const text = await inquiry.ask(file, ask);
  if (text !== undefined) inquiry.files.set(file, text);
}

const decoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));

/** Without values of Secrets; where one would have stood is written down too. */
async function write(
  folder: string,
  files: ReadonlyMap<string, string>,
  { secretValues }: Witness,
): Promise<ReadonlyMap<string, string>> {
  const blanked = [...files].map(([file, text]) => ({ file, ...secretValues.blank(text) }));
  const spilled = blanked.flatMap(({ file, found }) => found.map((value) => `${value} stood in ${file}`));
  if (spilled.length > 0) blanked.push({ file: 'blanked.txt', text: `${spilled.join('\n')}\n`, found: [] });
  for (const { file, text } of blanked) {
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
  }
  return new Map(blanked.map(({ file, text }) => [file, text]));
}
