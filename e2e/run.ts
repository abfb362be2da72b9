import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { GROUNDS, NEEDS, type Need } from './ground.ts';
import { embeddedParts, embeddedProvides } from './grounds/embedded.ts';

const SCENARIOS = join(import.meta.dirname, 'scenarios');
/** Files that play at once, each on a cluster of its own: they wait more than they compute, and two cores carry three. */
const CONCURRENCY = 3;

/** So that none of them is what everyone waits for at the end. */
const LONGEST_FIRST = ['api-faults', 'api-away', 'volumes', 'generation', 'leader', 'peers'].map(
  (name) => `${name}.test.ts`,
);

const say = (text: string): void => void process.stdout.write(text);

type Flags = { readonly ground: string; readonly only?: string };

const { ground, only } = new Command('e2e')
  .description('Plays the scenarios on a ground and says which of its parts were real.')
  .addOption(new Option('--ground <name>', `${GROUNDS.join(', ')} or a kubeconfig file`).default('embedded'))
  .option('--only <text>', 'files whose name, or scenarios whose title, holds the text')
  .parse()
  .opts<Flags>();

process.exitCode = await run();

async function run(): Promise<number> {
  if (ground !== 'embedded') {
    process.stderr.write(`ground ${ground} is not built yet; there is: embedded\n`);
    return 2;
  }
  const found = (await Array.fromAsync(glob(join(SCENARIOS, '*.test.ts')))).toSorted();
  const rank = (file: string): number => (LONGEST_FIRST.indexOf(basename(file)) + 100) % 100;
  const all = found.toSorted((a, b) => rank(a) - rank(b));
  const named = all.filter((file) => only !== undefined && basename(file).includes(only));
  const files = named.length > 0 ? named : all;
  const titles = only === undefined || named.length > 0 ? [] : [`--test-name-pattern=${escaped(only)}`];
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--test', `--test-concurrency=${CONCURRENCY}`, '--test-reporter=spec', ...titles, ...files],
    { stdio: 'inherit', env: { ...process.env, E2E_GROUND: ground } },
  );
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  const [code] = (await once(child, 'exit')) as [number | null];
  say(`\nGround ${ground}: ${embeddedParts()}.\n`);
  const missing = leftOut();
  say(missing === '' ? 'No scenario was left out for want of a part.\n' : `Left out for want of a part: ${missing}\n`);
  say(`${files.length} files of scenarios in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  return code ?? 130;
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** Scenarios say by themselves, in the list above, that they were left out; this is the summary. */
function leftOut(): string {
  const provided = embeddedProvides();
  const missing = (Object.keys(NEEDS) as Need[]).filter((need) => !provided.has(need));
  return missing.map((need) => `scenarios that need ${need} (${NEEDS[need]})`).join('; ');
}
