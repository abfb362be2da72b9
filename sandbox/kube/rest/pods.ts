import { asArray, asNumber, asString, at, clone, isObject, type JsonObject, put } from '../json.ts';
import { type ApiObject, wireTime } from '../objects.ts';
import { matchesLabels, selectorOf } from '../selectors.ts';
import type { Call } from '../state.ts';
import { badRequest, conflict, StatusError, tooManyRequests } from '../status.ts';
import { deleteObject, deleteOptions } from './delete.ts';
import { isDryRun } from './options.ts';
import { get, overwrite } from './write.ts';

const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
const BUDGETS = 'policy/poddisruptionbudgets';

/** Assigns a pod to a node, as a scheduler does. */
export function bind(call: Call, body: JsonObject): JsonObject {
  const pod = get(call);
  const node = asString(at(body, 'target', 'name'));
  if (asString(at(pod, 'spec', 'nodeName')) !== '') {
    throw conflict(
      { group: '', plural: 'pods/binding' },
      call.name,
      `pod ${call.name} is already assigned to node "${asString(at(pod, 'spec', 'nodeName'))}"`,
    );
  }
  const bound = clone<ApiObject>(pod);
  put(bound, ['spec', 'nodeName'], node);
  overwrite(call, bound);
  return SUCCESS;
}

function isReady(pod: ApiObject): boolean {
  return asArray(at(pod, 'status', 'conditions')).some(
    (item) => at(item, 'type') === 'Ready' && at(item, 'status') === 'True',
  );
}

/**
 * Deletes a pod if its disruption budget allows it.
 *
 * @throws StatusError 429 when the budget has nothing left
 * Source: `pkg/registry/core/pod/storage/eviction.go`.
 */
export function evict(call: Call, body: JsonObject): JsonObject {
  const pod = get(call);
  const phase = asString(at(pod, 'status', 'phase'));
  const needsBudget =
    pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending';
  const options = deleteOptions(call, body['deleteOptions']);
  if (needsBudget) spendBudget(call, pod);
  deleteObject(call, options);
  return SUCCESS;
}

function spendBudget(call: Call, pod: ApiObject): void {
  const budgets = call.state.store
    .list(BUDGETS, call.namespace)
    .filter(
      (budget) =>
        isObject(at(budget, 'spec', 'selector')) &&
        matchesLabels(selectorOf(at(budget, 'spec', 'selector')), pod.metadata.labels),
    );
  const [budget] = budgets;
  if (budget === undefined) return;
  if (budgets.length > 1) {
    throw new StatusError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const count = (name: string): number => asNumber(at(budget, 'status', name)) ?? 0;
  // A pod that isn't ready takes nothing away while enough others are healthy.
  if (!isReady(pod) && count('currentHealthy') >= count('desiredHealthy') && count('desiredHealthy') > 0) return;
  const { name } = budget.metadata;
  if ((asNumber(at(budget, 'status', 'observedGeneration')) ?? 0) < (budget.metadata.generation ?? 0)) {
    throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10, [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${name} is still being processed by the server.`,
      },
    ]);
  }
  if (count('disruptionsAllowed') <= 0) {
    const message = `The disruption budget ${name} needs ${count('desiredHealthy')} healthy pods and has ${count('currentHealthy')} currently`;
    throw new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [{ reason: 'DisruptionBudget', message }],
    });
  }
  if (isDryRun(call)) return;
  const spent = clone<ApiObject>(budget);
  put(spent, ['status', 'disruptionsAllowed'], count('disruptionsAllowed') - 1);
  put(spent, ['status', 'disruptedPods', pod.metadata.name], wireTime(call.state.now()));
  call.state.store.put(BUDGETS, spent);
}

/** The container whose log is meant: the named one, or the only one. */
export function logContainer(call: Call): string {
  const pod = get(call);
  const containers = [...asArray(at(pod, 'spec', 'containers')), ...asArray(at(pod, 'spec', 'initContainers'))];
  const names = containers.map((container) => asString(at(container, 'name')));
  const asked = call.query.get('container') ?? '';
  if (asked !== '') {
    if (names.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${call.name}`);
  }
  if (names.length === 1) return names[0] ?? '';
  throw badRequest(`a container name must be specified for pod ${call.name}, choose one of: [${names.join(' ')}]`);
}
