import { isDeepStrictEqual } from 'node:util';
import { API_VERSION, type RebalancePolicy } from './api/index.ts';
import {
  type AccessRule,
  Controller,
  type ControllerOptions,
  DONE,
  finalizeConditions,
  type Informer,
  type KubeClient,
  type ResourceType,
} from './kube/index.ts';

/** Kinds that the API has and nothing acts on yet. */
export type UnbuiltObject = RebalancePolicy;

export const STATUS_MANAGER = 'qdrant-librarian-status';

/** The rights this controller needs. */
export const UNBUILT_KINDS_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies'],
    verbs: ['list', 'watch'],
    purpose: 'see objects that nothing acts on yet',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies/status'],
    verbs: ['patch'],
    purpose: 'say so',
  },
];

type Options<T extends UnbuiltObject> = Pick<ControllerOptions<T>, 'log' | 'metrics' | 'assertLeading'> & {
  readonly client: Pick<KubeClient, 'apply'>;
  readonly type: ResourceType<T>;
  readonly informer: Informer<T>;
  readonly now: () => number;
};

/** Answers each object of the kind with `Ready=False`, reason `NotBuilt`: silence would look like slowness. */
export function unbuiltKindController<T extends UnbuiltObject>(options: Options<T>): Controller<T> {
  const { client, type, informer, now, ...rest } = options;
  return new Controller<T>({
    ...rest,
    name: type.kind.toLowerCase(),
    primary: informer,
    reconcile: async (key) => {
      const object = informer.store.get(key);
      if (object === undefined || object.metadata.deletionTimestamp !== undefined) return DONE;
      const status = unbuiltStatus(object, new Date(now()).toISOString());
      if (isDeepStrictEqual(status, object.status)) return DONE;
      const statusOnly = { apiVersion: API_VERSION, kind: type.kind, metadata: { ...key }, status };
      await client.apply(type, statusOnly, { fieldManager: STATUS_MANAGER, subresource: 'status' });
      return DONE;
    },
  });
}

/** The status of an object that nothing acts on. Pure. */
export function unbuiltStatus(object: UnbuiltObject, now: string): NonNullable<UnbuiltObject['status']> {
  const { conditions, observedGeneration } = finalizeConditions(object.status?.conditions ?? [], {
    result: {
      kind: 'stalled',
      reason: 'NotBuilt',
      message: `this version does not act on objects of kind ${object.kind}`,
    },
    generation: object.metadata.generation ?? 0,
    now,
  });
  return { conditions, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
}
