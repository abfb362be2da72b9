import { EVENTS } from '../../src/kube/index.ts';
import type { Ground } from '../ground.ts';
import { eventually } from '../stage/eventually.ts';
import { isReady, Operator } from '../stage/operator.ts';

const SERIES = /^qdrant_librarian_permission_missing\{.*\} 1$/gm;

/** What the operator says of its own permissions: in its log, its metrics, and events on its pods. */
export class OperatorSays {
  readonly #ground: Ground;
  readonly #operator: Operator;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#operator = new Operator(ground);
  }

  /** Until log, metric and an event name the permission. */
  async missing(permission: string): Promise<void> {
    await eventually(`the log names ${permission}`, async () =>
      (await this.#log()).some(
        (line) => line.includes('permissions are missing') && line.includes(JSON.stringify(permission)),
      ),
    );
    await eventually(`a metric tells of ${permission}`, async () => {
      const series = (await this.#ground.operatorMetrics()).match(SERIES) ?? [];
      return series.some((line) => labelsOf(permission).every((label) => line.includes(label)));
    });
    await eventually(`an event on a pod of the operator names ${permission}`, async () =>
      (await this.#notes('PermissionsMissing')).some((note) => note.split(', ').includes(permission)),
    );
  }

  /** Until all pods are ready, no series is left, and an event tells the good news. */
  async nothingMissing(): Promise<void> {
    await eventually('no permission is missing', async () => {
      const pods = await this.#operator.pods();
      const series = (await this.#ground.operatorMetrics()).match(SERIES) ?? [];
      return pods.every(isReady) && series.length === 0 && (await this.#notes('PermissionsGranted')).length > 0;
    });
  }

  /** How often processes of the operator's present pods ended. */
  async restarts(): Promise<number> {
    const pods = await this.#operator.pods();
    return pods.reduce((sum, { status }) => sum + (status?.containerStatuses?.[0]?.restartCount ?? 0), 0);
  }

  async #notes(wanted: string): Promise<string[]> {
    const { admin, operator } = this.#ground;
    const pods = (await this.#operator.pods()).map(({ metadata }) => metadata.uid);
    const events = await admin.listAll(EVENTS, { namespace: operator.namespace });
    return events
      .filter(({ reason, regarding }) => reason === wanted && pods.includes(regarding?.uid))
      .map(({ note }) => note);
  }

  async #log(): Promise<string[]> {
    const { admin, operator } = this.#ground;
    const pods = await this.#operator.pods();
    const logs = pods.map(({ metadata: { name } }) =>
      admin.raw('GET', `/api/v1/namespaces/${operator.namespace}/pods/${name}/log`),
    );
    return (await Promise.all(logs)).flatMap(({ text }) => text.split('\n'));
  }
}

/** `patch widgets.example.com/status` is verb `patch`, resource `example.com/widgets/status`. */
function labelsOf(permission: string): string[] {
  const [verb = '', target = ''] = permission.split(' ');
  const [qualified = '', ...subresource] = target.split('/');
  const [plural = '', ...group] = qualified.split('.');
  const resource = [...(group.length === 0 ? [] : [group.join('.')]), plural, ...subresource].join('/');
  return [`verb="${verb}"`, `resource="${resource}"`];
}
