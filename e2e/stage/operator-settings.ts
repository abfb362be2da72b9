/**
 * Leadership passes on within seconds, so that killing the operator at every step does not take minutes. A real API
 * server that starts, or is asked by many, may take longer for an answer than one in the same process.
 */
const isEmbedded = (process.env['E2E_GROUND'] ?? 'embedded') === 'embedded';
const LEASE = isEmbedded ? { lease: '2', renew: '1.5', retry: '0.2' } : { lease: '6', renew: '5', retry: '0.5' };

export const QUICK_OPERATOR: Readonly<Record<string, string>> = {
  QDRANT_LIBRARIAN_RESYNC_SECONDS: '2',
  QDRANT_LIBRARIAN_BUSY_SECONDS: '0.25',
  QDRANT_LIBRARIAN_LEASE_SECONDS: LEASE.lease,
  QDRANT_LIBRARIAN_RENEW_SECONDS: LEASE.renew,
  QDRANT_LIBRARIAN_RETRY_SECONDS: LEASE.retry,
};
