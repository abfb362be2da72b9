import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import type { Benchmark } from './benchmark.ts';
import { chunk } from './chunk.ts';
import { client } from './client.ts';
import { discovery } from './discovery.ts';
import { discoveryHeldOut } from './discovery-held-out.ts';
import { embed } from './embed.ts';
import { gateway } from './gateway.ts';
import { move } from './move.ts';
import { moveEngines } from './move-engines.ts';
import { operatorScale } from './operator-scale.ts';
import { plan } from './plan.ts';
import { vectorize } from './vectorize.ts';
import { vectors } from './vectors.ts';

const BENCHMARKS: readonly Benchmark[] = [
  client,
  operatorScale,
  move,
  moveEngines,
  plan,
  chunk,
  embed,
  gateway,
  vectorize,
  vectors,
  discovery,
  discoveryHeldOut,
];

type Flags = { readonly short?: boolean; readonly profile?: string };

/** At least twice the time that two cores need. */
const LIMIT_SECONDS = { short: 900, full: 3600 };

const say = (text: string): void => void process.stdout.write(text);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // What a second signal leaves running, the watchdog ends.
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort(new Error(`stopped by ${name}`));
  });
}

const program = new Command('bench')
  .description('Runs the benchmarks one after the other. Compare the ratios between machines, not the figures.')
  .argument('[names...]', BENCHMARKS.map(({ name }) => name).join(', '))
  .option('--short', 'some minutes: fewer and smaller measurements')
  .option('--profile <directory>', 'write CPU profiles of the measured processes into the directory')
  .action(async (names: string[], flags: Flags) => {
    const strangers = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
    if (strangers.length > 0) program.error(`no such benchmark: ${strangers.join(', ')}`);
    process.exitCode = await runAll(
      BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name)),
      flags,
    );
  });
await program.parseAsync();

/** @returns 0 when every benchmark ran and every invariant held; 130 after an interrupt */
async function runAll(benchmarks: readonly Benchmark[], { short = false, profile }: Flags): Promise<number> {
  const failures: string[] = [];
  const late = AbortSignal.timeout((short ? LIMIT_SECONDS.short : LIMIT_SECONDS.full) * 1000);
  say(`Node ${process.versions.node}, ${availableParallelism()} cores\n`);
  for (const { name, measures, embedded, run } of benchmarks) {
    if (stopping.signal.aborted) break;
    say(`\n${name}: ${measures}\nembedded: ${embedded}\n\n`);
    const began = performance.now();
    try {
      const { text, broken } = await run({
        short,
        ...(profile === undefined ? {} : { profiles: profile }),
        signal: AbortSignal.any([stopping.signal, late]),
        progress: (line) => void process.stderr.write(`  ${line}\n`),
      });
      say(`${text}(${seconds(began)})\n`);
      failures.push(...broken.map((what) => `${name}: ${what}`));
    } catch (error) {
      failures.push(`${name} could not run: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (stopping.signal.aborted) return 130;
  for (const failure of failures) say(`FAILED: ${failure}\n`);
  return failures.length === 0 ? 0 : 1;
}
