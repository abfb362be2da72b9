import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACES } from '../../src/kube/index.ts';
import { followUses, leaveUses, type Uses } from '../access/uses.ts';
import { type Ground, type GroundOptions, NEEDS, type Need } from '../ground.ts';
import { groundName, loadGround, prepareGround, startGround } from '../grounds.ts';
import { isLate } from '../run/core.ts';
import { leaveFolder } from './failure/leave-folder.ts';
import { failureFolder } from './failure/where.ts';
import { SCENARIO_SECONDS } from './patience.ts';
import { Stage } from './stage.ts';
import { Witness } from './witness.ts';

type Tell = (stage: Stage, context: TestContext) => Promise<void>;
/** @param needs what this scenario needs beside what all of its file do */
export type Scenario = (title: string, tell: Tell, needs?: readonly Need[]) => void;
export type ScenarioOptions = GroundOptions & {
  /** What the scenarios of the file cannot do without. */
  readonly needs?: readonly Need[];
};

/** After its own time is up a scenario still tells why, and cleans up. */
const GRACE_SECONDS = 60;

/**
 * The scenarios of one file share one ground; each has a namespace of its own. Where the ground lacks what they need,
 * they are left out, and say why.
 */
export async function scenarios(options: ScenarioOptions = {}): Promise<Scenario> {
  const { needs: shared = [], ...rest } = options;
  if (isLate(process.argv[1] ?? '')) return leftOutForTime;
  const module = await loadGround(groundName());
  // A run did it before for all its files; who plays one file has it done here.
  const prepared = await prepareGround(groundName(), module, (text) => void process.stderr.write(text));
  const provided = await module.provides();
  let ground: Ground | undefined;
  let usesSoFar: (() => Uses) | undefined;
  let count = 0;
  if (whyNot(shared, provided) === undefined) {
    before(async () => {
      ground = await startGround(module, rest);
      if (provided.has('audit')) usesSoFar = followUses(ground, rest.operator);
    });
  }
  after(async () => {
    try {
      await leaveUses(usesSoFar?.());
      await ground?.stop();
    } finally {
      await prepared.stop();
    }
  });
  return (title, tell, needs = []) => {
    const skip = whyNot([...shared, ...needs], provided) ?? false;
    const timeout = (SCENARIO_SECONDS + GRACE_SECONDS) * 1000;
    test(title, { skip, timeout }, async (context) => {
      if (ground === undefined) throw new Error('the ground did not start');
      count += 1;
      await play({ ground, namespace: `${ground.prefix ?? ''}scenario-${count}`, title, tell, context });
    });
  };
}

const leftOutForTime: Scenario = (title) => {
  test(title, { skip: 'the run has no time left for it' }, () => undefined);
};

type Playing = {
  readonly ground: Ground;
  readonly namespace: string;
  readonly title: string;
  readonly tell: Tell;
  readonly context: TestContext;
};

async function play({ ground, namespace, title, tell, context }: Playing): Promise<void> {
  const began = Date.now();
  const stage = new Stage(ground, namespace);
  const metadata = { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
  await ground.admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
  const witness = new Witness(ground.admin, namespace, stage.diary);
  let notUndone: readonly unknown[] = [];
  try {
    await inTime(tell(stage, context));
  } catch (error) {
    stage.diary.note('failure', String(error));
    const folder = failureFolder(ground.name, process.argv[1] ?? '', title);
    context.diagnostic(await leaveFolder(folder, { stage, witness, title, error, began }));
    context.diagnostic(`more in ${folder}`);
    throw error;
  } finally {
    await witness.close();
    notUndone = await stage.close();
    for (const failure of notUndone) context.diagnostic(`not undone: ${String(failure)}`);
    // Goes on in the background: the next scenario needs the room. What does not go now, the end of the ground removes.
    await ground.admin.delete(NAMESPACES, { namespace: '', name: namespace }).catch((error: unknown) => {
      context.diagnostic(`namespace ${namespace} was not deleted: ${String(error)}`);
    });
  }
  if (notUndone.length > 0) throw new AggregateError(notUndone, 'the scenario passed, but could not be undone');
}

async function inTime(telling: Promise<void>): Promise<void> {
  const ending = new AbortController();
  const late = sleep(SCENARIO_SECONDS * 1000, undefined, { signal: ending.signal }).then(
    () => Promise.reject(new Error(`the scenario did not end within ${SCENARIO_SECONDS} s`)),
    () => undefined,
  );
  try {
    await Promise.race([telling, late]);
  } finally {
    ending.abort();
  }
}

function whyNot(needs: readonly Need[], provided: ReadonlySet<Need>): string | undefined {
  const missing = needs.filter((need) => !provided.has(need)).map((need) => `${need} (${NEEDS[need]})`);
  return missing.length === 0 ? undefined : `ground ${groundName()} lacks ${missing.join(', ')}`;
}
