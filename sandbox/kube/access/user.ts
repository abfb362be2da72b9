/** Who asks. */
export type User = {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
};

export const MASTERS = 'system:masters';
const AUTHENTICATED = 'system:authenticated';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Namespace and name when the user is a service account. */
export function serviceAccountOf(user: string): { namespace: string; name: string } | undefined {
  const match = SERVICE_ACCOUNT.exec(user);
  return match === null ? undefined : { namespace: match[1] ?? '', name: match[2] ?? '' };
}

export function groupsOf(user: string): string[] {
  const account = serviceAccountOf(user);
  const accounts =
    account === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  const masters = user === 'system:admin' ? [MASTERS] : [];
  const nodes = user.startsWith('system:node:') ? ['system:nodes'] : [];
  return [...masters, ...nodes, ...accounts, AUTHENTICATED];
}
