/** So that nothing waits for a resync; the Lease as in production, which a busy machine can keep. */
export const QUICK_OPERATOR: Readonly<Record<string, string>> = {
  QDRANT_LIBRARIAN_RESYNC_SECONDS: '2',
  QDRANT_LIBRARIAN_BUSY_SECONDS: '0.25',
  QDRANT_LIBRARIAN_LEASE_SECONDS: '15',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '10',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '1',
};

// A real API server may take longer for an answer than one in the same process.
const isEmbedded = (process.env['E2E_GROUND'] ?? 'embedded') === 'embedded';
const [lease, renew, retry] = isEmbedded ? ['4', '3', '0.3'] : ['6', '5', '0.5'];

/** For scenarios that kill the operator again and again: leadership passes on within seconds. */
export const QUICK_LEASE: Readonly<Record<string, string>> = {
  QDRANT_LIBRARIAN_LEASE_SECONDS: lease,
  QDRANT_LIBRARIAN_RENEW_SECONDS: renew,
  QDRANT_LIBRARIAN_RETRY_SECONDS: retry,
};
