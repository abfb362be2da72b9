import assert from 'node:assert/strict';
import { DEPLOYMENTS, LEASES, PODS, type Pod } from '../../src/kube/index.ts';
import type { Ground } from '../ground.ts';
import { eventually } from './eventually.ts';

/** Gateways run beside it. */
export const OPERATOR_PODS = 'app.kubernetes.io/component=operator';

/** The operator's processes as pods, and which of them leads. */
export class Operator {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  pods(): Promise<Pod[]> {
    const { admin, operator } = this.#ground;
    return admin.listAll(PODS, { namespace: operator.namespace, labelSelector: OPERATOR_PODS });
  }

  /** `<pod>_<uuid>` of the process that holds the Lease; '' while nobody does. */
  async holder(): Promise<string> {
    const { admin, operator } = this.#ground;
    const lease = await admin.find(LEASES, { namespace: operator.namespace, name: 'qdrant-librarian' });
    return lease?.spec?.holderIdentity ?? '';
  }

  /** How often leadership went from one process to another. */
  async transitions(): Promise<number> {
    const { admin, operator } = this.#ground;
    const lease = await admin.get(LEASES, { namespace: operator.namespace, name: 'qdrant-librarian' });
    return lease.spec?.leaseTransitions ?? 0;
  }

  async leader(): Promise<string> {
    await eventually('an operator leads', async () => (await this.holder()) !== '');
    const [pod = ''] = (await this.holder()).split('_');
    return pod;
  }

  /** Kills the leading process as a crash does; its pod starts another one. Gives the name of the pod. */
  async kill(): Promise<string> {
    const pod = await this.leader();
    await this.#ground.kill({ namespace: this.#ground.operator.namespace, name: pod });
    return pod;
  }

  async scale(replicas: number): Promise<void> {
    const { admin, operator } = this.#ground;
    const key = { namespace: operator.namespace, name: operator.deployment };
    await admin.patch(DEPLOYMENTS, key, { spec: { replicas } }, { type: 'merge' });
    await eventually(`${replicas} operators are ready`, async () => {
      const ready = (await this.pods()).filter(isReady).length;
      return ready === replicas;
    });
  }

  /** Write requests of the operator since the audit was reset, as `verb resource`, but for `writesNothing`. */
  writes(): string[] {
    const { audit, operator, prefix } = this.#ground;
    // On a cluster that files share, an event of a scenario before is brought up to date some time later.
    const isLate = (resource: string): boolean => prefix !== undefined && resource === 'events.k8s.io/events';
    return audit
      .summary()
      .filter(({ user, verb }) => user === operator.user && WRITES.has(verb))
      .filter(({ resource }) => !writesNothing(resource) && !isLate(resource))
      .map(({ verb, resource, count }) => `${count} x ${verb} ${resource}`);
  }

  /** Nothing at all is written any more: the world is as it should be, and stays so. */
  async atRest(seconds: number): Promise<void> {
    let since = performance.now();
    await eventually(`the operator writes nothing for ${seconds} s`, () => {
      if (this.writes().length > 0) {
        this.#ground.audit.reset();
        since = performance.now();
      }
      return performance.now() - since >= seconds * 1000;
    });
    assert.deepEqual(this.writes(), []);
  }
}

/** Renewals of the Lease; questions about its own permissions, which are sent as creations. */
const writesNothing = (resource: string): boolean =>
  resource.includes('leases') || resource.startsWith('authorization.k8s.io/');

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
