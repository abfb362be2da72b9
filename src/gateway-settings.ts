import { SettingsError, settingsReader } from './settings.ts';

/** What the gateway process takes from its environment; every duration in seconds. */
export type GatewaySettings = {
  readonly logLevel: string;
  /** Where /healthz, /readyz and /metrics are served. */
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Where clients connect. */
  readonly host: string;
  readonly port: number;
  /** Namespace of the gateway's own pod. */
  readonly namespace: string;
  /** The one namespace whose libraries are served; undefined = all. */
  readonly watchNamespace: string | undefined;
  /** Namespace of paths that name none. */
  readonly defaultNamespace: string;
  readonly holdSeconds: number;
  readonly retrySeconds: number;
  readonly readSeconds: number;
  readonly writeSeconds: number;
  readonly maxBodyBytes: number;
  readonly keptBodyBytes: number;
  readonly keptBytes: number;
  readonly maxReads: number;
  readonly maxWrites: number;
  readonly maxSearches: number;
  /** Between two looks at all libraries for their sketches. */
  readonly sketchSeconds: number;
  /** Between two sketches of the same library. */
  readonly sketchRestSeconds: number;
  /** After SIGTERM clients are served, and asked to leave, for so long. */
  readonly leaveSeconds: number;
  /** Then what is under way may take so long. */
  readonly drainSeconds: number;
};

const MEBIBYTE = 1024 * 1024;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads `QDRANT_LIBRARIAN_*` and `POD_NAMESPACE`.
 *
 * @throws SettingsError naming the variable, its value and the rule; also for a variable with the prefix that nobody reads
 */
export function gatewaySettings(environment: NodeJS.ProcessEnv): GatewaySettings {
  const { text, number, logLevel, refuseStrangers } = settingsReader(environment);
  const watchNamespace = text('WATCH_NAMESPACE', '') || undefined;
  const settings: GatewaySettings = {
    logLevel: logLevel(),
    metricsHost: text('METRICS_HOST', '0.0.0.0'),
    metricsPort: number('METRICS_PORT', 8080, { min: 0, max: 65_535 }),
    host: text('GATEWAY_HOST', '0.0.0.0'),
    port: number('GATEWAY_PORT', 6333, { min: 0, max: 65_535 }),
    namespace: environment['POD_NAMESPACE'] ?? 'qdrant-librarian-system',
    watchNamespace,
    defaultNamespace: text('GATEWAY_NAMESPACE', watchNamespace ?? 'default'),
    holdSeconds: number('GATEWAY_HOLD_SECONDS', 30, { min: 0, max: 60 }),
    retrySeconds: number('GATEWAY_RETRY_SECONDS', 10, { min: 0, max: 60 }),
    readSeconds: number('GATEWAY_READ_SECONDS', 20, { min: 1, max: 600 }),
    writeSeconds: number('GATEWAY_WRITE_SECONDS', 60, { min: 1, max: 600 }),
    maxBodyBytes: MEBIBYTE * number('GATEWAY_MAX_BODY_MB', 32, { min: 1, max: 1024 }),
    keptBodyBytes: MEBIBYTE * number('GATEWAY_KEPT_BODY_MB', 8, { min: 0, max: 1024 }),
    keptBytes: MEBIBYTE * number('GATEWAY_KEPT_MB', 96, { min: 0, max: 65_536 }),
    maxReads: number('GATEWAY_MAX_READS', 512, { min: 1, max: 100_000 }),
    maxWrites: number('GATEWAY_MAX_WRITES', 512, { min: 1, max: 100_000 }),
    maxSearches: number('GATEWAY_MAX_SEARCHES', 64, { min: 1, max: 10_000 }),
    sketchSeconds: number('GATEWAY_SKETCH_SECONDS', 15, { min: 1, max: 86_400 }),
    sketchRestSeconds: number('GATEWAY_SKETCH_REST_SECONDS', 60, { min: 0, max: 86_400 }),
    leaveSeconds: number('GATEWAY_LEAVE_SECONDS', 5, { min: 0, max: 600 }),
    drainSeconds: number('GATEWAY_DRAIN_SECONDS', 35, { min: 0, max: 600 }),
  };
  if (!NAMESPACE.test(settings.defaultNamespace)) {
    throw new SettingsError('QDRANT_LIBRARIAN_GATEWAY_NAMESPACE', settings.defaultNamespace, 'must be a namespace');
  }
  refuseStrangers();
  return settings;
}
