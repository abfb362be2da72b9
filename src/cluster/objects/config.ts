import { dump } from 'js-yaml';
import type { QdrantCluster } from '../../api/index.ts';
import type { ConfigMap } from '../../kube/index.ts';
import { configName, peersName } from '../names.ts';
import type { Announcement } from '../world.ts';
import { ownedMetadata } from './metadata.ts';

/** Qdrant's `config.yaml`: what the user gave, word for word. What the operator owns comes by environment, which wins. */
export function configMap(cluster: QdrantCluster): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(cluster, configName(cluster)),
    data: { 'config.yaml': configYaml(cluster) },
  };
}

export const configYaml = ({ spec }: QdrantCluster): string =>
  spec.config === undefined ? '{}\n' : dump(spec.config, { sortKeys: true });

/** What starting pods read: who may found the cluster, and through whom they can join it. */
export function peersMap(cluster: QdrantCluster, { founder, members }: Announcement): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(cluster, peersName(cluster)),
    data: {
      ...(founder === undefined ? {} : { founder }),
      members: members.map((member) => `${member}\n`).join(''),
    },
  };
}

export const announcementOf = (live: Pick<ConfigMap, 'data'>): Announcement => ({
  founder: live.data?.['founder'],
  members: (live.data?.['members'] ?? '').split('\n').filter((line) => line !== ''),
});
