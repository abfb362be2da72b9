/** What a scenario may ask of the ground it plays on, beside a Kubernetes with the operator in it. */
export const NEEDS = {
  'pod-faults': 'kills and pauses the processes of a pod',
  'volume-faults': 'empties the volume of a claim',
  'api-faults': 'makes the API server slow, wrong or absent for one user',
  'control-plane-faults': 'restarts the API server and compacts its storage',
  audit: 'knows every request to the API server',
  gateway: 'runs gateways, and reaches them by the name of their Service',
  'outside-qdrant': 'runs a Qdrant beside Kubernetes',
  'outside-embedder': 'runs an embedder beside Kubernetes',
  'qdrant-faults': 'makes a Qdrant peer slow or wrong',
  'command-lines': 'sees the arguments of all processes',
  kubectl: 'has kubectl',
  'real-controllers': "runs Kubernetes' own controllers",
  'flow-control': 'serves requests by API priority and fairness',
  'pod-network': 'gives pods network namespaces and DNS of their own',
  'pod-security': 'enforces pod security standards at admission',
  'memory-limits': 'ends a container that takes more memory than its limit',
  'volume-expansion': 'lets claims grow',
  'kubelet-restart': 'restarts the kubelet',
  'node-drain': 'lets its nodes be drained',
  'object-store': 'has an S3 server',
  'object-store-faults': 'makes the S3 server deny, lose what it took, or go away',
} as const;

export type Need = keyof typeof NEEDS;

/** All needs but these. */
export const allNeedsBut = (missing: Iterable<Need>): ReadonlySet<Need> =>
  new Set(Object.keys(NEEDS) as Need[]).difference(new Set(missing));
