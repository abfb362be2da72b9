import { strangers, type Topology } from '../topology.ts';
import type { World } from '../world.ts';

/** A pod that enters or leaves the client Service. */
export type ServingChange = { readonly pod: string; readonly serving: boolean };

/**
 * Which pods change sides: the one that is going to be stopped leaves, and so does a peer that answers for a cluster of
 * its own (S10); all others serve. An operation that was given up puts its pod back by itself.
 */
export function servingChanges(world: World, topology: Topology, withdraw: string | undefined): ServingChange[] {
  const foreign = strangers(topology);
  return world.pods
    .filter(({ terminating }) => !terminating)
    .map(({ name, serving, ready }) => ({
      pod: name,
      serving,
      // A joiner that doesn't know the others yet isn't ready, so it gets no traffic anyway.
      wanted: name !== withdraw && !(ready && foreign.includes(name)),
    }))
    .filter(({ serving, wanted }) => serving !== wanted)
    .map(({ pod, wanted }) => ({ pod, serving: wanted }));
}
