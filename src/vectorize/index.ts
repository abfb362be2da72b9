export { vectorizeController } from './controller.ts';
export type { VectorizeControllerSettings, VectorizeDeps, VectorizeInformers } from './deps.ts';
export { withDigestOnly } from './inputs.ts';
export { RUN_PREDICATES } from './predicates.ts';
export { WORKERS_OWN_KEYS } from './progress.ts';
export { VECTORIZE_RULES } from './rbac.ts';
export { REASONS, type Reason } from './reasons.ts';
