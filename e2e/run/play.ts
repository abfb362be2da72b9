import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { accessOutcome, newUsesFolder } from '../access/outcome.ts';
import { CannotStart, type GroundModule, type Prepared } from '../ground.ts';
import { loadGround, prepareGround } from '../grounds.ts';
import { newArtifactsFolder } from '../stage/failure/where.ts';
import { isCore, limitRest } from './core.ts';
import { type FileOutcome, outcomes } from './outcome.ts';
import type { GroundOutcome } from './summary.ts';

/** Files that play at once, each on a ground of its own: they wait more than they compute. Elsewhere one. */
const CONCURRENCY: Readonly<Record<string, number>> = { embedded: 3, 'control-plane': 2 };

/** What a scenario forgot to end shall not hold up the run: the process of a file ends when its tests have. */
const ENDING = ['--test-force-exit'];

/** Files that keep a machine busy by themselves, so that others beside them would only meet its slowness. */
const ALONE = ['seeds-of-moves', 'seeds-of-runs'];

/** So that none of them is what everyone waits for at the end. */
const LONGEST_FIRST = [
  ...ALONE,
  'move',
  'vectorize',
  'disruption',
  'snapshots',
  'access',
  'changes',
  'api-faults',
  'api-away',
  'generation',
  'keys',
  'volumes',
  'peers',
];

/** What comes next to the core where there is not time for all: one file of each room. */
const ROOMS_FIRST = ['gateway', 'discovery', 'vectorizing-guide', 'snapshots-guide', 'rebalance', 'move'];

export type Play = {
  readonly ground: string;
  /** Only the files that `npm test` plays. */
  readonly core?: boolean;
  /** Plays those first, and begins others only within so many seconds; what is late says that it is left out. */
  readonly restWithin?: number;
  /** Files whose name, or scenarios whose title, holds one of the texts. */
  readonly only?: readonly string[];
  /** Files of scenarios, as a pattern. */
  readonly scenarios: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};

/** Plays the scenarios on one ground and tells what became of them. */
export async function play(options: Play): Promise<GroundOutcome> {
  const { ground, say, restWithin } = options;
  const began = performance.now();
  if (restWithin !== undefined) limitRest(restWithin);
  const elapsed = (): number => (performance.now() - began) / 1000;
  let prepared: Prepared | undefined;
  try {
    const module = await loadGround(ground);
    prepared = await prepareGround(ground, module, say);
    return await playOn(module, options, elapsed);
  } catch (error) {
    if (error instanceof CannotStart) return { ground, kind: 'not started', why: error.message, seconds: elapsed() };
    throw error;
  } finally {
    await prepared?.stop();
  }
}

async function playOn(module: GroundModule, options: Play, elapsed: () => number): Promise<GroundOutcome> {
  const { ground, only, say, signal } = options;
  const readySeconds = elapsed();
  const { files, titles } = await chosen(options);
  const artifacts = newArtifactsFolder(ground);
  await using uses = await newUsesFolder();
  const told: FileOutcome[] = [];
  const most = CONCURRENCY[ground] ?? 1;
  const isAlone = (file: string): boolean => most > 1 && ALONE.includes(basename(file, '.test.ts'));
  const rounds = [
    { some: files.filter(isAlone), concurrency: 1 },
    { some: files.filter((file) => !isAlone(file)), concurrency: most },
  ];
  for (const { some, concurrency } of rounds) {
    if (some.length === 0) continue;
    const stream = run({ files: some, concurrency, signal, execArgv: ENDING, ...titles });
    const found = outcomes(stream);
    for await (const text of stream.compose(spec)) say(String(text));
    told.push(...found.values());
  }
  return {
    ground,
    kind: 'played',
    parts: module.parts(),
    readySeconds,
    seconds: elapsed(),
    files: only === undefined ? [...told, ...(await accessOutcome(uses.path, told))] : told,
    ...(existsSync(artifacts) ? { artifacts } : {}),
  };
}

type Chosen = { readonly files: readonly string[]; readonly titles: { readonly testNamePatterns?: RegExp } };

async function chosen({ scenarios, only, core, restWithin }: Play): Promise<Chosen> {
  const there = (await Array.fromAsync(glob(scenarios))).toSorted();
  const found = core === true ? there.filter(isCore) : there;
  const order = restWithin === undefined ? LONGEST_FIRST : ROOMS_FIRST;
  const rank = (file: string): number =>
    restWithin !== undefined && isCore(file) ? -1 : (order.indexOf(basename(file, '.test.ts')) + 100) % 100;
  const all = found.toSorted((a, b) => rank(a) - rank(b));
  if (only === undefined) return { files: all, titles: {} };
  const holds = (whole: string): boolean => only.some((text) => whole.includes(text));
  const named = all.filter((file) => holds(basename(file)));
  if (named.length > 0) return { files: named, titles: {} };
  const titles = { testNamePatterns: new RegExp(only.map((text) => RegExp.escape(text)).join('|')) };
  const texts = await Promise.all(all.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  const holding = texts.filter(({ text }) => holds(text)).map(({ file }) => file);
  // A title that is put together stands in no file as it is.
  return { files: holding.length > 0 ? holding : all, titles };
}
