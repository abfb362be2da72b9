/** Milliseconds; below the 5 s after which Qdrant closes an idle connection. */
export const KEEP_ALIVE = 3000;
/** Milliseconds. A pod leaves its Service 5 s before it is stopped; older connections would lead to it, and hold it up for 30 s (S5). */
export const CONNECTION_LIFE = 4000;
