import type { QdrantCluster } from '../../api/index.ts';
import type { StatefulSet } from '../../kube/index.ts';
import { digestOf } from '../digest.ts';
import {
  annotations,
  configName,
  headlessName,
  namespaceOf,
  ownLabels,
  PORTS,
  peersName,
  SERVING_LABEL,
  SNAPSHOTS_VOLUME,
  STORAGE_VOLUME,
  selectorLabels,
} from '../names.ts';
import { START_SCRIPT } from '../start-script.ts';
import { configYaml } from './config.ts';
import { apiKeyReference, type KeyReference, readOnlyKeyReference } from './secret.ts';

type Template = NonNullable<StatefulSet['spec']>['template'];
type PodSpec = NonNullable<Template['spec']>;
type Container = PodSpec['containers'][number];

const DIRECTORIES = {
  storage: '/qdrant/storage',
  snapshots: '/qdrant/snapshots',
  config: '/qdrant-librarian/config',
  peers: '/qdrant-librarian/peers',
  run: '/qdrant-librarian/run',
} as const;

/** A busy client keeps its connection, and with it the process, alive for 30 s after SIGTERM (S5). */
const GRACE_SECONDS = 60;
const USER = 1000;

export type TemplateOptions = {
  readonly image: string;
  /** Whether snapshots have a claim of their own; else they go with the pod. */
  readonly snapshotsClaim: boolean;
};

/** The pods. Whatever changes here changes the digest, and by it the pods are restarted one by one. */
export function podTemplate(cluster: QdrantCluster, options: TemplateOptions): Template {
  const template = {
    metadata: {
      labels: { ...ownLabels(cluster), [SERVING_LABEL]: 'true' },
      annotations: { 'qdrant-librarian.io/config-digest': digestOf(configYaml(cluster)) },
    },
    spec: podSpec(cluster, options),
  };
  return {
    ...template,
    metadata: {
      ...template.metadata,
      annotations: { ...template.metadata.annotations, [annotations.template]: digestOf(template) },
    },
  };
}

export const templateDigest = (template: Template): string =>
  template.metadata?.annotations?.[annotations.template] ?? '';

function podSpec(cluster: QdrantCluster, options: TemplateOptions): PodSpec {
  const { spec } = cluster;
  const scheduling = {
    ...(spec.tolerations === undefined ? {} : { tolerations: spec.tolerations }),
    ...(spec.nodeSelector === undefined ? {} : { nodeSelector: spec.nodeSelector }),
    ...(spec.priorityClassName === undefined ? {} : { priorityClassName: spec.priorityClassName }),
    ...(spec.image?.pullSecrets === undefined ? {} : { imagePullSecrets: spec.image.pullSecrets }),
    ...(spec.topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: spec.topologySpreadConstraints.map((constraint) => ({
            labelSelector: { matchLabels: selectorLabels(cluster) },
            ...constraint,
          })),
        }),
  };
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    affinity: spec.affinity ?? spread(cluster),
    ...scheduling,
    containers: [container(cluster, options)],
    volumes: [
      { name: 'config', configMap: { name: configName(cluster) } },
      { name: 'peers', configMap: { name: peersName(cluster) } },
      { name: 'run', emptyDir: {} },
      ...(options.snapshotsClaim ? [] : [{ name: SNAPSHOTS_VOLUME, emptyDir: {} }]),
    ],
  } as PodSpec;
}

function spread(cluster: QdrantCluster): PodSpec['affinity'] {
  const labelSelector = { matchLabels: selectorLabels(cluster) };
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector } },
      ],
    },
  };
}

function container(cluster: QdrantCluster, { image }: TemplateOptions): Container {
  const { spec } = cluster;
  const volumes = [
    [STORAGE_VOLUME, DIRECTORIES.storage],
    [SNAPSHOTS_VOLUME, DIRECTORIES.snapshots],
    ['config', DIRECTORIES.config],
    ['peers', DIRECTORIES.peers],
    ['run', DIRECTORIES.run],
  ] as const;
  return {
    name: 'qdrant',
    image,
    imagePullPolicy: spec.image?.pullPolicy ?? 'IfNotPresent',
    command: ['/bin/sh', '-c', START_SCRIPT],
    env: environment(cluster),
    ports: Object.entries(PORTS).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    ...(spec.resources === undefined ? {} : { resources: spec.resources }),
    volumeMounts: volumes.map(([name, mountPath]) => ({ name, mountPath })),
    ...probes(),
    // What the process said as it ended tells a lost volume from other failures.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  } as Container;
}

/** HTTP opens only when all collections are loaded, so starting may take long; `/readyz` would wait for recovery, too. */
function probes(): Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> {
  const get = (path: string) => ({ path, port: 'http' });
  return {
    startupProbe: { httpGet: get('/livez'), periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 3600 },
    readinessProbe: { httpGet: get('/readyz'), periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { httpGet: get('/livez'), periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 10 },
  };
}

function environment(cluster: QdrantCluster): NonNullable<Container['env']> {
  const uri = `http://$(POD_NAME).${headlessName(cluster)}.${namespaceOf(cluster)}.svc:${PORTS.p2p}`;
  const secret = ({ name, key }: KeyReference) => ({ valueFrom: { secretKeyRef: { name, key } } });
  return [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'PEER_URI', value: uri },
    { name: 'CONFIG_FILE', value: `${DIRECTORIES.config}/config.yaml` },
    { name: 'PEERS_DIRECTORY', value: DIRECTORIES.peers },
    { name: 'QDRANT_INIT_FILE_PATH', value: `${DIRECTORIES.run}/.qdrant-initialized` },
    { name: 'QDRANT__TELEMETRY_DISABLED', value: 'true' },
    { name: 'QDRANT__STORAGE__STORAGE_PATH', value: DIRECTORIES.storage },
    { name: 'QDRANT__STORAGE__SNAPSHOTS_PATH', value: DIRECTORIES.snapshots },
    { name: 'QDRANT__CLUSTER__ENABLED', value: 'true' },
    { name: 'QDRANT__CLUSTER__P2P__PORT', value: String(PORTS.p2p) },
    { name: 'QDRANT__SERVICE__HTTP_PORT', value: String(PORTS.http) },
    { name: 'QDRANT__SERVICE__GRPC_PORT', value: String(PORTS.grpc) },
    ...(cluster.spec.jwtRbac === true ? [{ name: 'QDRANT__SERVICE__JWT_RBAC', value: 'true' }] : []),
    { name: 'QDRANT__SERVICE__API_KEY', ...secret(apiKeyReference(cluster)) },
    { name: 'QDRANT__SERVICE__READ_ONLY_API_KEY', ...secret(readOnlyKeyReference(cluster)) },
  ];
}
