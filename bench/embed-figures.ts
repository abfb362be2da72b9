/** Texts of a request. */
export const BATCH = 32;
export const DIMENSIONS = 384;
/** Of a text, some 1 000 bytes. */
export const TOKENS = 200;
export const CONCURRENCY = 4;
/** 800 chunks a second at most: two lanes, so long for a request. Small models on one card do some hundreds. */
export const LANES = 2;
export const SERVICE_MILLISECONDS = 80;
