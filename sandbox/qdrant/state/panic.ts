/** Stops consensus on every peer that applies the entry, and the process when it meets it at its start (S1). */
export class ReplicaPanic extends Error {}
