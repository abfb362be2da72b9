export { libraryController } from './controller.ts';
export {
  DOMAIN_LIBRARIES,
  type LibraryControllerSettings,
  type LibraryDeps,
  type LibraryInformers,
  QDRANT_CLUSTERS,
} from './deps.ts';
export { LIBRARY_PREDICATES } from './predicates.ts';
export { profileDefaults } from './profiles.ts';
export { LIBRARY_RULES } from './rbac.ts';
export { REASONS, type Reason } from './reasons.ts';
