import type { Condition, DomainLibrary, QdrantCluster, VectorizationJob } from '../../src/api/index.ts';
import type { Pod } from '../../src/kube/index.ts';

/** What may change about an object and is worth a line: by name, `same` to be compared, `text` to be read. */
export type Facts = ReadonlyMap<string, { readonly same: string; readonly text: string }>;

const plain = (value: unknown) => ({ same: String(value), text: String(value) });

/** Messages count while they stand, e.g. seconds: a new one alone is nothing new. */
const conditionFacts = (conditions: readonly Condition[] = []) =>
  conditions.map(({ type, status, reason, message }): [string, { same: string; text: string }] => [
    type,
    { same: `${status} ${reason}`, text: `${status} ${reason}: ${message}` },
  ]);

const names = (blockedBy: readonly { readonly name: string }[] = []): string =>
  blockedBy.length === 0 ? '' : ` blocked by ${blockedBy.map(({ name }) => name).join(', ')}`;

export function clusterFacts({ metadata, status }: QdrantCluster): Facts {
  const { operation, peers = [], founded } = status ?? {};
  return new Map([
    ...conditionFacts(status?.conditions),
    ...(operation === undefined
      ? []
      : [['operation', plain(`${operation.name} ${operation.step}${names(operation.blockedBy)}`)] as const]),
    ...(founded === undefined ? [] : [['founded', plain(founded.peerId)] as const]),
    ...peers.map(({ name, state, peerId }) => [`peer ${name}`, plain(`${state} ${peerId ?? ''}`)] as const),
    ...deletion(metadata),
  ]);
}

export function libraryFacts({ metadata, status }: DomainLibrary): Facts {
  const { change, generation } = status ?? {};
  return new Map([
    ...conditionFacts(status?.conditions),
    ...(generation === undefined ? [] : [['generation', plain(generation)] as const]),
    ...(change === undefined
      ? []
      : [['change', plain(`${change.step} to ${change.to}${names(change.blockedBy)}`)] as const]),
    ...deletion(metadata),
  ]);
}

export function vectorizationFacts({ metadata, status }: VectorizationJob): Facts {
  const { progress, lastRun } = status ?? {};
  const ended = lastRun === undefined ? '' : `${lastRun.run} ${lastRun.result} ${lastRun.reason ?? ''}`.trim();
  return new Map([
    ...conditionFacts(status?.conditions),
    ...(progress === undefined ? [] : [['run', plain(`${progress.run} ${progress.step}`)] as const]),
    ...(lastRun === undefined ? [] : [['last run', plain(ended)] as const]),
    ...deletion(metadata),
  ]);
}

export function podFacts({ metadata, status }: Pod): Facts {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const restarts = status?.containerStatuses?.reduce((sum, { restartCount }) => sum + restartCount, 0);
  return new Map([
    ['phase', plain(status?.phase)],
    ...(ready === undefined ? [] : [['ready', plain(ready)] as const]),
    ...(restarts === undefined ? [] : [['restarts', plain(restarts)] as const]),
    ...deletion(metadata),
  ]);
}

const deletion = ({ deletionTimestamp }: { readonly deletionTimestamp?: string }) =>
  deletionTimestamp === undefined ? [] : [['being deleted', plain('yes')] as const];

/** What is new between two looks at one object, as lines. */
export function news(before: Facts, after: Facts): string[] {
  const changed = [...after].filter(([name, { same }]) => before.get(name)?.same !== same);
  const gone = [...before.keys()].filter((name) => !after.has(name));
  return [...changed.map(([name, { text }]) => `${name}: ${text}`), ...gone.map((name) => `${name}: no more`)];
}
