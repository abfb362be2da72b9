import { Gauge } from 'prom-client';
import {
  AccessCheck,
  EventRecorder,
  type KubeClient,
  type KubeError,
  type KubeObject,
  type Occurrence,
  type Permission,
  permissionText,
} from './kube/index.ts';
import { neededPermissions, permissionsOfRole, ROLES, type RoleName } from './roles.ts';
import type { OperatorSettings } from './settings.ts';
import type { Logger, Registry } from './telemetry/index.ts';

/** Reasons of events about the operator's own pod. */
export const ACCESS_REASONS = {
  PermissionsMissing:
    'The account of the operator lacks permissions; the note names them. Objects that need them wait.',
  PermissionsGranted: 'Nothing is missing any more; what waited goes on.',
} as const;

export type OperatorAccessOptions = {
  readonly client: KubeClient;
  readonly settings: Pick<OperatorSettings, 'namespace' | 'watchNamespace' | 'identity' | 'pod'>;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Between two looks while something is missing; 30 when not given. */
  readonly retrySeconds?: number;
};

/** Whether the operator may do what its roles say it needs: for the log, a metric, /readyz and an event on its pod. */
export class OperatorAccess {
  readonly #options: OperatorAccessOptions;
  readonly #check: AccessCheck;
  readonly #recorder: EventRecorder;
  readonly #gauge: Gauge<'verb' | 'resource' | 'namespace'>;
  readonly #needed: readonly Permission[];
  readonly #handlers = new Set<() => void>();
  #lacked = false;

  constructor(options: OperatorAccessOptions) {
    const { client, settings, log, metrics, retrySeconds } = options;
    this.#options = options;
    this.#needed = neededPermissions(settings);
    this.#check = new AccessCheck({
      client,
      permissions: this.#needed,
      onChange: (missing) => this.#changed(missing),
      log,
      ...(retrySeconds === undefined ? {} : { retrySeconds }),
    });
    const controller = 'qdrant-librarian.io/operator';
    this.#recorder = new EventRecorder({ client, controller, instance: settings.identity, log });
    this.#gauge = new Gauge({
      name: 'qdrant_librarian_permission_missing',
      help: 'Permissions that the operator needs and its account lacks; no series while all are granted.',
      labelNames: ['verb', 'resource', 'namespace'],
      registers: [metrics],
    });
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#check.run(signal);
    await this.#recorder.stop();
  }

  /** A request was refused: what was seen may not hold any more. */
  doubt(refusal: KubeError): void {
    this.#check.doubt(refusal);
  }

  /** For /readyz. */
  problem(): string | undefined {
    const { missing } = this.#check;
    if (missing === undefined) return 'not asked yet';
    return missing.length === 0 ? undefined : `missing: ${missing.map(permissionText).join(', ')}`;
  }

  /** Until the role may read what its controller caches, or the signal aborts. */
  async whenReadable(role: RoleName, signal: AbortSignal): Promise<void> {
    const reads = permissionsOfRole(role, this.#options.settings)
      .filter(({ verb }) => verb === 'list' || verb === 'watch')
      .map(permissionText);
    await this.#check.whenGranted((permission) => reads.includes(permissionText(permission)), signal);
  }

  /**
   * Calls `handler` each time that something missing was granted.
   *
   * @returns what ends the calls
   */
  onGranted(handler: () => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  #changed(missing: readonly Permission[]): void {
    const { log } = this.#options;
    const texts = missing.map(permissionText);
    this.#gauge.reset();
    for (const { verb, group, resource, namespace } of missing) {
      this.#gauge.set({ verb, namespace, resource: group === '' ? resource : `${group}/${resource}` }, 1);
    }
    if (missing.length > 0) {
      log.error({ missing: texts, roles: this.#rolesOf(texts) }, 'permissions are missing; what needs them waits');
      this.#record({ type: 'Warning', reason: 'PermissionsMissing', note: texts.join(', ') });
    } else {
      log.info({ permissions: new Set(this.#needed.map(permissionText)).size }, 'all permissions are granted');
      if (this.#lacked) this.#record({ type: 'Normal', reason: 'PermissionsGranted', note: 'nothing is missing' });
    }
    if (this.#lacked) for (const handler of this.#handlers) handler();
    this.#lacked = missing.length > 0;
  }

  #rolesOf(texts: readonly string[]): RoleName[] {
    const { settings } = this.#options;
    return (Object.keys(ROLES) as RoleName[]).filter((role) =>
      permissionsOfRole(role, settings).some((permission) => texts.includes(permissionText(permission))),
    );
  }

  #record(event: Omit<Occurrence, 'action' | 'reason'> & { readonly reason: keyof typeof ACCESS_REASONS }): void {
    const { namespace, pod } = this.#options.settings;
    if (pod === undefined) return;
    const { name, uid } = pod;
    const metadata = { name, namespace, ...(uid === undefined ? {} : { uid }) };
    const self: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata };
    this.#recorder.record(self, { ...event, action: 'CheckAccess' });
  }
}
