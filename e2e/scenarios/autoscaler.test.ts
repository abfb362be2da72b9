import assert from 'node:assert/strict';
import { API_VERSION } from '../../src/api/index.ts';
import { type Condition, findCondition, type KubeObject, resourceType } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios({ needs: ['real-controllers'] });

type Autoscaler = KubeObject & {
  readonly spec: object;
  readonly status?: { currentReplicas?: number; desiredReplicas?: number; conditions?: Condition[] };
};
const AUTOSCALERS = resourceType<Autoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
});

scenario("Kubernetes' autoscaler reads how many peers there are, and sets how many there shall be", async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } };
  // It measures nothing here, so the bounds alone are what it goes by.
  await stage.admin.create(AUTOSCALERS, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: stage.key('desk'),
    spec: {
      scaleTargetRef: { apiVersion: API_VERSION, kind: 'QdrantCluster', name: 'desk' },
      minReplicas: 2,
      maxReplicas: 3,
      metrics: [{ type: 'Resource', resource }],
    },
  });
  await stage.untilCluster('desk', ({ spec }) => spec.size === 2, 'told to have 2 peers');
  await stage.clusterReady('desk', 2);
  const { metadata } = await stage.cluster('desk');
  const { managedFields: writers = [] } = metadata as { managedFields?: { manager?: string; subresource?: string }[] };
  assert.ok(
    writers.some(({ manager, subresource }) => manager === 'kube-controller-manager' && subresource === 'scale'),
    JSON.stringify(writers),
  );
  await eventually('the autoscaler sees both peers', async () => {
    const { status } = await stage.admin.get(AUTOSCALERS, stage.key('desk'));
    const able = findCondition(status?.conditions ?? [], 'AbleToScale');
    return status?.currentReplicas === 2 && able?.status === 'True';
  });
  const { status } = await stage.admin.get(AUTOSCALERS, stage.key('desk'));
  const active = findCondition(status?.conditions ?? [], 'ScalingActive');
  // It asked for measures of the pods that status.selector names, and there is nobody who measures.
  assert.notEqual(active?.reason, 'InvalidSelector', active?.message);
});
