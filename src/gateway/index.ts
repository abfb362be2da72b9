export { GATEWAY_ERRORS, GatewayError, type GatewayErrorCode } from './errors.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { BY_NAME, byPublicName } from './libraries.ts';
export { GATEWAY_RULES } from './rbac.ts';
export {
  BY_LIBRARY,
  byTargetLibrary,
  type EmbedText,
  SEARCH_SECRET,
  SKETCH_LIMITS,
  type SketchLimits,
} from './search/index.ts';
