import {
  CONFIG_MAPS,
  type ConfigMap,
  Informer,
  type KubeClient,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  SECRETS,
  type Secret,
} from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { ClaimDirectory } from './pod-volumes.ts';
import type { References } from './wire.ts';

/** What the node agent knows of the cluster: pods, and what pods refer to. */
export class NodeObjects {
  readonly pods: Informer<Pod>;
  readonly configMaps: Informer<ConfigMap>;
  readonly secrets: Informer<Secret>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;

  constructor(client: KubeClient, log: Logger) {
    this.pods = new Informer({ client, type: PODS, log });
    this.configMaps = new Informer({ client, type: CONFIG_MAPS, log });
    this.secrets = new Informer({ client, type: SECRETS, log });
    this.claims = new Informer({ client, type: PERSISTENT_VOLUME_CLAIMS, log });
    this.volumes = new Informer({ client, type: PERSISTENT_VOLUMES, log });
  }

  /** Resolves when `signal` aborted and every watch ended. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#referenced.map((informer) => informer.start(signal)).concat(this.pods.start(signal)));
  }

  get #referenced(): readonly { start(signal: AbortSignal): Promise<void>; whenSynced(): Promise<void> }[] {
    return [this.configMaps, this.secrets, this.claims, this.volumes];
  }

  /** Resolves when everything that pods may refer to has been read. */
  async whenReferencesSynced(): Promise<void> {
    await Promise.all(this.#referenced.map((informer) => informer.whenSynced()));
  }

  references(namespace: string): References {
    return {
      configMap: (name) => this.configMaps.store.get({ namespace, name }),
      secret: (name) => this.secrets.store.get({ namespace, name }),
    };
  }

  claimDirectory(namespace: string, name: string): ClaimDirectory {
    const claim = this.claims.store.get({ namespace, name });
    if (claim === undefined) return { ok: false, message: `persistentvolumeclaim "${name}" not found` };
    const volume = this.volumes.store.get({ namespace: '', name: claim.spec?.volumeName ?? '' });
    if (claim.status?.phase !== 'Bound' || volume === undefined) {
      return { ok: false, message: `persistentvolumeclaim "${name}" is not bound` };
    }
    const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
    if (path === undefined)
      return { ok: false, message: `volume "${volume.metadata.name}" is no directory of this host` };
    return { ok: true, path };
  }
}
