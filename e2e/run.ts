import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { GROUNDS } from './grounds.ts';
import { play } from './run/play.ts';
import { exitCode, type GroundOutcome, told, total } from './run/summary.ts';

type Flags = {
  readonly ground: readonly string[];
  readonly only?: readonly string[];
  readonly core?: boolean;
  readonly restWithin?: number;
  readonly image?: string;
  readonly qdrantRepository?: string;
  readonly storageClass?: string;
};

/** Refused before the first ground plays, which may take half an hour. */
function groundName(name: string, before: readonly string[] | undefined): readonly string[] {
  const known = (GROUNDS as readonly string[]).includes(name) || existsSync(name);
  if (!known) throw new InvalidArgumentError(`${name} is neither a ground nor a file; --only chooses scenarios.`);
  return before === undefined || before === DEFAULT ? [name] : [...before, name];
}
const DEFAULT: readonly string[] = ['embedded'];

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${text} is no number of seconds.`);
}

const {
  ground: grounds,
  only,
  core = false,
  restWithin,
  image,
  qdrantRepository,
  storageClass,
} = new Command('e2e')
  .description('Plays the scenarios on a ground and says which of its parts were real.')
  .addOption(
    new Option('--ground <names...>', `${GROUNDS.join(', ')} or a kubeconfig file; several play in turn`)
      .argParser(groundName)
      .default(DEFAULT, 'embedded'),
  )
  .option('--core', 'only the files that npm test plays')
  .addOption(
    new Option('--rest-within <seconds>', 'the core first; other files begin only within so much time').argParser(
      seconds,
    ),
  )
  .option('--image <reference>', "the operator's image, on a kubeconfig's cluster; or E2E_IMAGE")
  .option('--qdrant-repository <name>', "where Qdrant's images are, without tag; or E2E_QDRANT_REPOSITORY")
  .option('--storage-class <name>', "of the clusters' volumes; or E2E_STORAGE_CLASS")
  .option('--only <texts...>', 'files whose name, or scenarios whose title, holds one of the texts')
  .addHelpText('after', '\nExit code: 0 all passed, 1 a scenario failed, 3 nothing failed but a ground could not start')
  .parse()
  .opts<Flags>();

const chosen = { E2E_IMAGE: image, E2E_QDRANT_REPOSITORY: qdrantRepository, E2E_STORAGE_CLASS: storageClass };
for (const [name, value] of Object.entries(chosen)) if (value !== undefined) process.env[name] = value;

const say = (text: string): void => void process.stdout.write(text);

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());

const outcomes: GroundOutcome[] = [];
for (const ground of grounds) {
  if (stopping.signal.aborted) break;
  const scenarios = join(import.meta.dirname, 'scenarios', '*.test.ts');
  const outcome = await play({
    ground,
    scenarios,
    say,
    core,
    signal: stopping.signal,
    ...(only === undefined ? {} : { only }),
    ...(restWithin === undefined ? {} : { restWithin }),
  });
  outcomes.push(outcome);
  say(`\n${told(outcome)}`);
}
if (outcomes.length > 1) say(total(outcomes));
process.exitCode = stopping.signal.aborted ? 130 : exitCode(outcomes);
