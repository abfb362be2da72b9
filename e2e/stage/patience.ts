/** Times of which a slow ground or machine needs a multiple. */
const factor = Number(process.env['E2E_PATIENCE'] ?? '1');

/** Long enough for a machine that runs other things, too; nothing waits so long when all is well. */
export const PATIENCE_SECONDS: number = 90 * factor;

/** Far above what a scenario takes; its own waiting ends before. */
export const SCENARIO_SECONDS: number = 300 * factor;
