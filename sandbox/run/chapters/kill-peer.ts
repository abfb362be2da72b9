import { seconds } from '../facts.ts';
import { type Chapter, NAMESPACE } from '../stage.ts';
import { isReady } from '../wait.ts';

export const killPeer: Chapter = {
  title: 'a peer is killed and heals',
  play: async (stage, progress) => {
    const began = performance.now();
    stage.sandbox.agent.killPod(NAMESPACE, 'stacks-1');
    await stage.cluster('stacks', {
      holds: (cluster) => !isReady(cluster),
      what: 'noticed as not Ready',
      timeoutSeconds: 20,
    });
    progress('the operator noticed');
    await stage.cluster('stacks', { holds: isReady, what: 'Ready again', timeoutSeconds: 40 });
    stage.facts.note('a killed peer healed after', seconds(performance.now() - began));
  },
};
