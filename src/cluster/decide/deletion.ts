import { blockers } from '../predicates.ts';
import type { Topology } from '../topology.ts';
import type { World } from '../world.ts';
import type { Operation, Proposal, Step } from './step.ts';

/** Deletion: pods first, then volumes where the policy says so, then the finalizer. */
export function deletion(world: World, topology: Topology): Proposal {
  const blockedBy = blockers('deleteCluster', { world, topology, ordinal: undefined, member: undefined });
  if (blockedBy.length > 0) return proposal('WaitForLibraries', { blockedBy });
  if (world.cluster.spec.deletionPolicy !== 'Delete') return proposal('Release', { does: { kind: 'removeFinalizer' } });
  if (world.statefulSet !== undefined) return proposal('StopPods', { does: { kind: 'deleteStatefulSet' } });
  if (world.pods.length > 0) return proposal('StopPods', {});
  const claims = world.claims.filter(({ terminating }) => !terminating);
  if (claims.length > 0) return proposal('DeleteVolumes', { does: { kind: 'deleteClaims', claims } });
  return proposal('Release', { does: { kind: 'removeFinalizer' } });
}

function proposal(
  step: string,
  { does, blockedBy = [] }: { does?: Step; blockedBy?: Operation['blockedBy'] },
): Proposal {
  return {
    operation: { name: 'Delete', step, blockedBy },
    exclusive: true,
    ...(does === undefined ? {} : { step: does }),
  };
}
