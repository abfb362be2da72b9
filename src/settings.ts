import { hostname } from 'node:os';

/** What the operator process takes from its environment; every duration in seconds. */
export type OperatorSettings = {
  readonly logLevel: string;
  /** Where /healthz, /readyz and /metrics are served. */
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Namespace of the leader's Lease. */
  readonly namespace: string;
  /** Name under which this process runs for leadership. */
  readonly identity: string;
  /** The pod in which this process runs, as far as its environment tells. */
  readonly pod: { readonly name: string; readonly uid: string | undefined } | undefined;
  /** The one namespace to watch; undefined = all. */
  readonly watchNamespace: string | undefined;
  /** Image of worker Jobs: the operator's own. */
  readonly workerImage: string;
  /** Names of the Secrets with which that image is pulled, in the namespaces of the libraries. */
  readonly workerPullSecrets: readonly string[];
  /** What worker Jobs get of the operator's own environment. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
  readonly resyncSeconds: number;
  readonly busySeconds: number;
  readonly settleSeconds: number;
  readonly leaseSeconds: number;
  readonly renewSeconds: number;
  readonly retrySeconds: number;
  /** How long a vectorize worker waits for embedder, source or target before its run fails. */
  readonly patienceSeconds: number;
  /** How long a vectorize worker may get nowhere before it is ended. */
  readonly stallSeconds: number;
  readonly workers: number;
};

/** An environment variable whose value breaks its rule. */
export class SettingsError extends Error {
  readonly variable: string;

  constructor(variable: string, value: string, rule: string) {
    super(`${variable}=${JSON.stringify(value)}: ${rule}`);
    this.name = 'SettingsError';
    this.variable = variable;
  }
}

const PREFIX = 'QDRANT_LIBRARIAN_';
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * Reads `QDRANT_LIBRARIAN_*`, `POD_NAMESPACE`, `POD_NAME` and `POD_UID`.
 *
 * @throws SettingsError naming the variable, its value and the rule; also for a variable with the prefix that nobody reads
 */
export function operatorSettings(environment: NodeJS.ProcessEnv): OperatorSettings {
  const { POD_NAME: podName, POD_UID: podUid } = environment;
  const { text, number, logLevel, refuseStrangers } = settingsReader(environment);
  const settings: OperatorSettings = {
    logLevel: logLevel(),
    metricsHost: text('METRICS_HOST', '0.0.0.0'),
    metricsPort: number('METRICS_PORT', 8080, { min: 0, max: 65535 }),
    namespace: environment['POD_NAMESPACE'] ?? 'qdrant-librarian-system',
    identity: podName ?? hostname(),
    pod: podName === undefined ? undefined : { name: podName, uid: podUid },
    watchNamespace: text('WATCH_NAMESPACE', '') || undefined,
    workerImage: text('IMAGE', 'qdrant-librarian'),
    workerPullSecrets: secretNames(`${PREFIX}IMAGE_PULL_SECRETS`, text('IMAGE_PULL_SECRETS', '')),
    workerEnvironment: handedOn(environment),
    resyncSeconds: number('RESYNC_SECONDS', 30, { min: 1, max: 86_400 }),
    busySeconds: number('BUSY_SECONDS', 1, { min: 0.05, max: 60 }),
    settleSeconds: number('SETTLE_SECONDS', 5, { min: 5, max: 3_600 }),
    leaseSeconds: number('LEASE_SECONDS', 15, { min: 1, max: 3_600 }),
    renewSeconds: number('RENEW_SECONDS', 10, { min: 0.5, max: 3_600 }),
    retrySeconds: number('RETRY_SECONDS', 2, { min: 0.1, max: 600 }),
    patienceSeconds: number('PATIENCE_SECONDS', 300, { min: 5, max: 86_400 }),
    stallSeconds: number('STALL_SECONDS', 600, { min: 20, max: 86_400 }),
    workers: number('WORKERS', 8, { min: 1, max: 64 }),
  };
  const { retrySeconds, renewSeconds, leaseSeconds, busySeconds, settleSeconds } = settings;
  // Retries come with a jitter of a fifth. Source: client-go `leaderelection.JitterFactor`.
  if (!(retrySeconds * 1.2 < renewSeconds && renewSeconds < leaseSeconds)) {
    const rule = `must lie between 1.2 x RETRY_SECONDS (${retrySeconds}) and LEASE_SECONDS (${leaseSeconds})`;
    throw new SettingsError(`${PREFIX}RENEW_SECONDS`, String(renewSeconds), rule);
  }
  if (busySeconds >= settleSeconds) {
    const rule = `must be less than SETTLE_SECONDS (${settleSeconds}): settled is what was seen so at every look`;
    throw new SettingsError(`${PREFIX}BUSY_SECONDS`, String(busySeconds), rule);
  }
  refuseStrangers();
  return settings;
}

export type SettingsReader = {
  /** Names are given without the prefix. */
  readonly text: (name: string, fallback: string) => string;
  readonly number: (name: string, fallback: number, bounds: { readonly min: number; readonly max: number }) => number;
  readonly logLevel: () => string;
  /** For after all was read. */
  readonly refuseStrangers: () => void;
};

/** Reads `QDRANT_LIBRARIAN_*`; what breaks a rule throws a SettingsError. */
export function settingsReader(environment: NodeJS.ProcessEnv): SettingsReader {
  const known = new Set<string>();
  const text = (name: string, fallback: string): string => {
    known.add(PREFIX + name);
    return environment[PREFIX + name] ?? fallback;
  };
  return {
    text,
    number(name, fallback, { min, max }) {
      const value = text(name, String(fallback));
      const parsed = value.trim() === '' ? Number.NaN : Number(value);
      if (Number.isFinite(parsed) && parsed >= min && parsed <= max) return parsed;
      throw new SettingsError(PREFIX + name, value, `must be a number from ${min} to ${max}`);
    },
    logLevel() {
      const level = text('LOG_LEVEL', 'info');
      if (LEVELS.includes(level)) return level;
      throw new SettingsError(`${PREFIX}LOG_LEVEL`, level, `must be one of ${LEVELS.join(', ')}`);
    },
    refuseStrangers() {
      const stranger = Object.keys(environment).find((name) => name.startsWith(PREFIX) && !known.has(name));
      if (stranger === undefined) return;
      const rule = `is not a setting; known: ${[...known].join(', ')}`;
      throw new SettingsError(stranger, environment[stranger] ?? '', rule);
    },
  };
}

function secretNames(variable: string, value: string): string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const wrong = names.some((name) => name.length > 253 || !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name));
  if (wrong) throw new SettingsError(variable, value, 'must be names of Secrets, separated by commas');
  return names;
}

/** `OTEL_EXPORTER_OTLP_HEADERS` isn't among them: it may hold a token, and a Job's variables can be read by many. */
const HANDED_ON = [`${PREFIX}LOG_LEVEL`, 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

const handedOn = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    HANDED_ON.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
