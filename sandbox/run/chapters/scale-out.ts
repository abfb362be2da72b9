import { seconds } from '../facts.ts';
import type { Chapter } from '../stage.ts';
import { isReady } from '../wait.ts';

/** Its load goes on until the cluster has been scaled in again. */
export const scaleOut: Chapter = {
  title: 'scale out to 4 peers under load',
  play: async (stage, progress) => {
    await stage.startLoad('documentation', { firstId: 1, way: 'binding' });
    const began = performance.now();
    await stage.scale('stacks', 4);
    const { status } = await stage.cluster('stacks', {
      holds: (cluster) => isReady(cluster) && cluster.status?.replicas === 4,
      what: 'Ready with 4 peers',
      timeoutSeconds: 40,
    });
    const shards = status?.peers?.find(({ name }) => name === 'stacks-3')?.shards ?? 0;
    progress(`stacks-3 holds ${shards} shards`);
    stage.facts.note('scaled out 3 -> 4 after', seconds(performance.now() - began));
    stage.facts.check('shards on the new peer', String(shards), shards > 0);
  },
};
