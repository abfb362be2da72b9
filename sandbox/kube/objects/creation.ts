import { asArray, asObject, asString, at, isObject, type JsonObject, put } from '../json.ts';
import { type ApiObject, wireTime } from '../objects.ts';
import type { State } from '../state.ts';
import { fill } from './fill.ts';

type Preparer = (object: ApiObject, state: State) => void;

const status =
  (value: JsonObject): Preparer =>
  (object) => {
    object['status'] = { ...value };
  };

const namespace: Preparer = (object) => {
  object['status'] = { phase: 'Active' };
  put(object, ['spec', 'finalizers'], ['kubernetes']);
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
};

const pod: Preparer = (object) => {
  object['status'] = { phase: 'Pending', qosClass: qosClass(object) };
  fill(object, ['spec', 'serviceAccountName'], 'default');
  fill(object, ['spec', 'serviceAccount'], asString(at(object, 'spec', 'serviceAccountName')));
  fill(object, ['spec', 'preemptionPolicy'], 'PreemptLowerPriority');
  fill(object, ['spec', 'priority'], 0);
  tolerate(object);
};

/** Source: `plugin/pkg/admission/defaulttolerationseconds`. */
function tolerate(object: ApiObject): void {
  const given = asArray(at(object, 'spec', 'tolerations'));
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].filter(
    (key) =>
      !given.some(
        (one) =>
          [key, ''].includes(asString(at(one, 'key'))) && ['NoExecute', ''].includes(asString(at(one, 'effect'))),
      ),
  );
  if (added.length === 0) return;
  const tolerations = added.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
  put(object, ['spec', 'tolerations'], [...given, ...tolerations]);
}

/** Source: `pkg/apis/core/v1/helper/qos`. */
function qosClass(object: ApiObject): string {
  const containers = asArray(at(object, 'spec', 'containers'));
  const sets = containers.map((container) => asObject(at(container, 'resources')));
  if (sets.every((set) => !isObject(set['limits']) && !isObject(set['requests']))) return 'BestEffort';
  const guaranteed = sets.every((set) =>
    ['cpu', 'memory'].every((name) => {
      const limit = at(set['limits'], name);
      return limit !== undefined && limit === (at(set['requests'], name) ?? limit);
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const service: Preparer = (object, state) => {
  object['status'] = { loadBalancer: {} };
  if (at(object, 'spec', 'type') === 'ExternalName') return;
  const wanted = asString(at(object, 'spec', 'clusterIP'));
  const address = wanted === '' ? state.hooks.allocateClusterIP?.() : wanted;
  if (address === undefined) return;
  put(object, ['spec', 'clusterIP'], address);
  put(object, ['spec', 'clusterIPs'], [address]);
};

const job: Preparer = (object) => {
  object['status'] = {};
  const { uid, name } = object.metadata;
  if (at(object, 'spec', 'manualSelector') === true) return;
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  put(object, ['spec', 'selector'], { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } });
  const given = asObject(at(object, 'spec', 'template', 'metadata', 'labels'));
  put(object, ['spec', 'template', 'metadata', 'labels'], { ...given, ...labels });
};

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

const claim: Preparer = (object, state) => {
  object['status'] = { phase: 'Pending' };
  if (at(object, 'spec', 'storageClassName') !== undefined) return;
  const classes = state.store.list('storage.k8s.io/storageclasses');
  const standard = classes.find(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
  if (standard !== undefined) put(object, ['spec', 'storageClassName'], standard.metadata.name);
};

/** Names are accepted and the kind is established at once: nothing here needs the time between. */
const definition: Preparer = (object, state) => {
  const moment = wireTime(state.now());
  const versions = asArray(at(object, 'spec', 'versions'));
  const stored = versions
    .filter((version) => at(version, 'storage') === true)
    .map((version) => asString(at(version, 'name')));
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: moment,
    reason,
    message,
  });
  object['status'] = {
    acceptedNames: asObject(at(object, 'spec', 'names')),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: stored,
  };
};

const PREPARERS: { readonly [storedAs: string]: Preparer } = {
  '/namespaces': namespace,
  '/pods': pod,
  '/services': service,
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': status({ phase: 'Pending' }),
  '/nodes': status({}),
  'apps/statefulsets': status({ replicas: 0, availableReplicas: 0 }),
  'apps/deployments': status({}),
  'apps/replicasets': status({ replicas: 0 }),
  'batch/jobs': job,
  'policy/poddisruptionbudgets': status({
    currentHealthy: 0,
    desiredHealthy: 0,
    disruptionsAllowed: 0,
    expectedPods: 0,
  }),
  'apiextensions.k8s.io/customresourcedefinitions': definition,
};

/** What the server itself writes, in place, into a new object. */
export function prepareCreate(storedAs: string, object: ApiObject, state: State): void {
  PREPARERS[storedAs]?.(object, state);
}

/** What the server carries over, in place, from the object as it was. */
export function prepareUpdate(storedAs: string, object: ApiObject, live: ApiObject): void {
  if (storedAs !== '/services' || at(object, 'spec', 'type') === 'ExternalName') return;
  fill(object, ['spec', 'clusterIP'], at(live, 'spec', 'clusterIP') ?? '');
  fill(object, ['spec', 'clusterIPs'], at(live, 'spec', 'clusterIPs') ?? []);
}
