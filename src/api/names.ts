import { PREFIX } from './object.ts';

/** Annotations that the operator reads. Those marked as verbs run once per value. */
export const ANNOTATIONS = {
  /** Names of predicates that are switched off, comma separated, or `*`. */
  disablePredicates: `${PREFIX}disable-predicates`,
  /** Verb: the target generation for which an adopted library may be unreachable for a moment. */
  allowGap: `${PREFIX}allow-gap`,
  /** Verb: a nonce; founds a cluster anew after its last volume was lost. */
  foundAgain: `${PREFIX}found-again`,
  /** Verb: a nonce; makes a snapshot of a library now. */
  snapshot: `${PREFIX}snapshot`,
  /** Verb: name of a snapshot, which is restored into a hidden generation, verified and dropped. */
  trySnapshot: `${PREFIX}try-snapshot`,
  /** Verb: a nonce; lets a VectorizationJob run now. */
  run: `${PREFIX}run`,
  /** Verb: a nonce; looks for domains in a library now. */
  discover: `${PREFIX}discover`,
  /** Verb: `approve=<digest>`, `stop` or `refresh`. */
  plan: `${PREFIX}plan`,
  /** Verb: a nonce; rotates generated keys. */
  rotateKeys: `${PREFIX}rotate-keys`,
} as const;

export const FINALIZER = `${PREFIX}finalizer`;

/** Who writes: one name for objects, one for status. A new name would orphan every field of the old one. */
export const FIELD_MANAGERS = { objects: 'qdrant-librarian', status: 'qdrant-librarian-status' } as const;

/** Labels on every object that belongs to a cluster. */
export const clusterLabels = (cluster: string): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'qdrant-librarian',
  'app.kubernetes.io/name': 'qdrant',
  'app.kubernetes.io/instance': cluster,
  [`${PREFIX}cluster`]: cluster,
});
