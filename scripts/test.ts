import { spawn } from 'node:child_process';

/**
 * Runs the checks in the order in which they fail fastest, and ends with the first failure:
 * types, lint, generated files, fast tests with the line coverage of `src`, then the core of the scenarios.
 */
const MIN_LINE_COVERAGE = 90;

const bin = (name: string): string => `node_modules/.bin/${name}`;

const coverage = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/**',
  `--test-coverage-lines=${MIN_LINE_COVERAGE}`,
];

type Step = { readonly title: string; readonly command: string; readonly args: readonly string[] };

const STEPS: readonly Step[] = [
  { title: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { title: 'lint', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { title: 'promises', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { title: 'generated files', command: process.execPath, args: ['scripts/generate.ts', '--check'] },
  {
    title: 'tests',
    command: process.execPath,
    // Much of a test's time is waiting for processes: two files at once also where there are two cores.
    args: ['--test', '--test-concurrency=2', '--test-timeout=240000', ...coverage, 'test/**/*.test.ts'],
  },
  { title: 'scenarios, the core of them', command: process.execPath, args: ['e2e/run.ts', '--core'] },
];

async function run({ command, args }: Step): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

const started = performance.now();
for (const step of STEPS) {
  const at = performance.now();
  const code = await run(step);
  process.stdout.write(`${code === 0 ? 'ok' : 'FAILED'}: ${step.title}, ${seconds(at)}\n`);
  if (code !== 0) process.exit(code);
}
process.stdout.write(`all checks passed in ${seconds(started)}\n`);
