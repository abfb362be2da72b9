import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import { deskAndDocs } from '../stage/manifests.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios({ needs: ['audit'] });

scenario(
  'a GitOps tool applies the same manifests every second: no conflict, and the operator writes nothing',
  async (stage) => {
    const { cluster, library } = deskAndDocs(stage);
    const tool = { fieldManager: 'gitops', force: false };
    await stage.admin.apply(CLUSTERS, cluster, tool);
    await stage.admin.apply(LIBRARIES, library, tool);
    await stage.clusterReady('desk', 1);
    await stage.libraryReady('docs', 1);
    const sized = ({ status }: DomainLibrary) => status?.vectorsBytes !== undefined;
    await stage.untilLibrary('docs', sized, 'telling the size of its vectors');
    await stage.operator.atRest(3);
    const before = await Promise.all([stage.cluster('desk'), stage.library('docs')]);
    for (let second = 0; second < 10; second += 1) {
      // Not forced: a field that the operator owned would be a conflict.
      await stage.admin.apply(CLUSTERS, cluster, tool);
      await stage.admin.apply(LIBRARIES, library, tool);
      await sleep(1000);
    }
    assert.deepEqual(stage.operator.writes(), []);
    const after = await Promise.all([stage.cluster('desk'), stage.library('docs')]);
    const versions = (objects: readonly (QdrantCluster | DomainLibrary)[]) =>
      objects.map(({ metadata }) => metadata.resourceVersion);
    assert.deepEqual(versions(after), versions(before), 'not even a resourceVersion changed');
  },
);
