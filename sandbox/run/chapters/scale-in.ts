import { OPERATOR_NAMESPACE } from '../../sandbox.ts';
import { seconds } from '../facts.ts';
import type { Chapter } from '../stage.ts';
import { isReady } from '../wait.ts';

export const scaleIn: Chapter = {
  title: 'scale in to 3 peers, the operator killed in the middle',
  play: async (stage, progress) => {
    const began = performance.now();
    await stage.scale('stacks', 3);
    const draining = await stage.cluster('stacks', {
      holds: ({ status }) => status?.operation?.name === 'ScaleIn',
      what: 'scaling in',
      timeoutSeconds: 20,
    });
    const operator = stage.operatorProcess();
    if (operator === undefined) throw new Error('the operator has no process');
    progress(`operator killed at step ${draining.status?.operation?.step ?? '?'}`);
    stage.sandbox.agent.killPod(OPERATOR_NAMESPACE, operator.pod);
    await stage.cluster('stacks', {
      holds: (cluster) => isReady(cluster) && cluster.status?.replicas === 3,
      what: 'Ready with 3 peers',
      timeoutSeconds: 60,
    });
    stage.facts.note('scaled in 4 -> 3, operator killed, after', seconds(performance.now() - began));
    await stage.endLoads('scaling');
  },
};
