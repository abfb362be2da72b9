import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyLibrarianObject, KINDS } from '../../src/api/index.ts';
import { type KubeClient, NAMESPACES, PODS, type ResourceType, resourceType } from '../../src/kube/index.ts';

const PATIENCE_MILLISECONDS = 120_000;
const OURS: readonly ResourceType<AnyLibrarianObject>[] = KINDS.map((kind) => resourceType<AnyLibrarianObject>(kind));

export async function namespacesOf(admin: KubeClient): Promise<readonly string[]> {
  return (await admin.listAll(NAMESPACES, {})).map(({ metadata }) => metadata.name);
}

/**
 * Deletes namespaces of scenarios, and waits until nothing in them concerns the operator or takes processor time:
 * no object of our kinds is left, and no pod. Kubernetes takes up to half a minute more over the rest, as it looks again
 * after half of the pods' grace.
 */
export async function leaveNamespaces(admin: KubeClient, names: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (const name of names) await admin.delete(NAMESPACES, { namespace: '', name });
  for (;;) {
    const left: string[] = [];
    for (const namespace of names) left.push(...(await emptied(admin, namespace)));
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`these do not go: ${left.join(', ')}`);
    await sleep(500);
  }
}

/** The operator is there to let go of what it holds; its peers need not end in peace. Gives what is still there. */
async function emptied(admin: KubeClient, namespace: string): Promise<string[]> {
  const left: string[] = [];
  for (const type of OURS) {
    for (const { kind, metadata } of await admin.listAll(type, { namespace })) {
      if (metadata.deletionTimestamp === undefined) await admin.delete(type, { namespace, name: metadata.name });
      left.push(`${kind} ${namespace}/${metadata.name}`);
    }
  }
  for (const { metadata } of await admin.listAll(PODS, { namespace })) {
    await admin.delete(PODS, { namespace, name: metadata.name }, { gracePeriodSeconds: 1 });
    left.push(`Pod ${namespace}/${metadata.name}`);
  }
  return left;
}
