import { after, before, type TestContext, test } from 'node:test';
import { NAMESPACES } from '../../src/kube/index.ts';
import { type Ground, type GroundOptions, NEEDS, type Need } from '../ground.ts';
import { groundName, loadGround, prepareGround, startGround } from '../grounds.ts';
import { Stage } from './stage.ts';
import { whatHappened } from './what-happened.ts';

type Tell = (stage: Stage, context: TestContext) => Promise<void>;
/** @param needs what this scenario needs beside what all of its file do */
export type Scenario = (title: string, tell: Tell, needs?: readonly Need[]) => void;
export type ScenarioOptions = GroundOptions & {
  /** What the scenarios of the file cannot do without. */
  readonly needs?: readonly Need[];
};

/** Far above what a scenario takes; its own waiting ends before. */
const TIMEOUT_MILLISECONDS = 200_000;

/**
 * The scenarios of one file share one ground; each has a namespace of its own. Where the ground lacks what they need,
 * they are left out, and say why.
 */
export async function scenarios(options: ScenarioOptions = {}): Promise<Scenario> {
  const { needs: shared = [], ...rest } = options;
  const module = await loadGround(groundName());
  // A run did it before for all its files; who plays one file has it done here.
  const prepared = await prepareGround(groundName(), module, (text) => void process.stderr.write(text));
  const provided = await module.provides();
  let ground: Ground | undefined;
  let count = 0;
  if (whyNot(shared, provided) === undefined) {
    before(async () => {
      ground = await startGround(module, rest);
    });
  }
  after(async () => {
    try {
      await ground?.stop();
    } finally {
      await prepared.stop();
    }
  });
  return (title, tell, needs = []) => {
    const skip = whyNot([...shared, ...needs], provided) ?? false;
    test(title, { skip, timeout: TIMEOUT_MILLISECONDS }, async (context) => {
      if (ground === undefined) throw new Error('the ground did not start');
      count += 1;
      const stage = new Stage(ground, `${ground.prefix ?? ''}scenario-${count}`);
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: stage.namespace } } as const;
      await ground.admin.create(NAMESPACES, namespace);
      try {
        await tell(stage, context);
      } catch (error) {
        context.diagnostic(await whatHappened(stage));
        throw error;
      } finally {
        await stage.close();
        // Goes on in the background: the next scenario needs the room.
        await ground.admin.delete(NAMESPACES, { namespace: '', name: stage.namespace });
      }
    });
  };
}

function whyNot(needs: readonly Need[], provided: ReadonlySet<Need>): string | undefined {
  const missing = needs.filter((need) => !provided.has(need)).map((need) => `${need} (${NEEDS[need]})`);
  return missing.length === 0 ? undefined : `ground ${groundName()} lacks ${missing.join(', ')}`;
}
