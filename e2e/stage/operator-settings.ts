/** Leadership passes on within seconds, so that killing the operator at every step does not take minutes. */
export const QUICK_OPERATOR: Readonly<Record<string, string>> = {
  QDRANT_LIBRARIAN_RESYNC_SECONDS: '2',
  QDRANT_LIBRARIAN_BUSY_SECONDS: '0.25',
  QDRANT_LIBRARIAN_LEASE_SECONDS: '2',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '1.5',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '0.2',
};
