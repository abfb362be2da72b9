import { PODS } from '../../../src/kube/index.ts';
import { eventually } from '../eventually.ts';
import { isReady } from '../operator.ts';
import type { Stage } from '../stage.ts';

/** How long the operator and a worker are refused by the API server. */
const REFUSAL_MILLISECONDS = 1500;
const GATEWAYS = 'app.kubernetes.io/component=gateway';
const JOB_NAME = 'batch.kubernetes.io/job-name';

/** Kills the process of the leading operator. */
export const killOperator = async (stage: Stage): Promise<void> => void (await stage.operator.kill());

/**
 * Kills the running pods of the Jobs of these names; waits for the first.
 *
 * @param isOver nobody will run any more
 * @returns whether one was killed
 */
export async function killWorker(
  { ground, admin, namespace }: Stage,
  jobs: RegExp,
  isOver: () => boolean,
): Promise<boolean> {
  let killed = false;
  await eventually(`a worker of ${jobs} is killed`, async () => {
    const pods = await admin.listAll(PODS, { namespace, labelSelector: JOB_NAME });
    const running = pods.filter(
      ({ metadata, status }) => status?.phase === 'Running' && jobs.test(metadata.labels?.[JOB_NAME] ?? ''),
    );
    for (const { metadata } of running) await ground.kill({ namespace, name: metadata.name });
    killed = running.length > 0;
    return killed || isOver();
  });
  return killed;
}

/** Kills one gateway while another one is ready. */
export async function killGateway({ ground, admin }: Stage): Promise<void> {
  const { namespace } = ground.operator;
  await eventually('a gateway of two is killed', async () => {
    const pods = await admin.listAll(PODS, { namespace, labelSelector: GATEWAYS });
    const [one, ...others] = pods.filter(isReady);
    if (one === undefined || others.length === 0) return false;
    await ground.kill({ namespace, name: one.metadata.name });
    return true;
  });
}

/** Kills a peer that runs. */
export async function killPeer({ ground, admin, key }: Stage, pod: string): Promise<void> {
  await eventually(`${pod} is killed`, async () => {
    const { status } = await admin.get(PODS, key(pod));
    const running = status?.containerStatuses?.some(({ state }) => state?.running !== undefined) === true;
    if (running) await ground.kill(key(pod));
    return running;
  });
}

/** The API server fails every request of these users for a while. */
export function refuseByApi(stage: Stage, users: readonly string[]): void {
  const ends = users.map((user) => stage.ground.faults.fail({ user, share: 1, status: 503 }));
  const end = (): void => {
    for (const one of ends) one();
  };
  const timer = setTimeout(end, REFUSAL_MILLISECONDS);
  stage.defer(async () => {
    clearTimeout(timer);
    end();
  });
}
