#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { SettingsError } from './settings.ts';
import { runWorkerProcess } from './worker-process.ts';

// Each command loads its own code: a worker must not pay for the operator's memory.

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** An abort signal that fires at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error(`received ${name}`));
    });
  }
  return controller.signal;
}

const program = new Command('qdrant-librarian')
  .description('Runs many Qdrant clusters as one library of libraries.')
  .version(manifest.version)
  .showHelpAfterError();

program
  .command('operator')
  .description('run the controllers; settings come from QDRANT_LIBRARIAN_* variables')
  .action(async () => {
    const { runOperator } = await import('./operator.ts');
    process.exitCode = await runOperator({ environment: process.env, version: manifest.version, signal: stopSignal() });
  });

program
  .command('gateway')
  .description('serve all libraries behind one address; settings come from QDRANT_LIBRARIAN_* variables')
  .action(async () => {
    const { runGateway } = await import('./gateway-process.ts');
    process.exitCode = await runGateway({ environment: process.env, version: manifest.version, signal: stopSignal() });
  });

const worker = program.command('worker').description('run one task of data work; started by the operator as a Job');

/** A worker's task, what it does, and where its code is. */
type WorkerTask = readonly [task: string, description: string, load: Parameters<typeof runWorkerProcess>[0]];
const snapshotWorker: WorkerTask[2] = async () => (await import('./library/snapshots/worker.ts')).runSnapshotWorker;

const WORKERS: readonly WorkerTask[] = [
  [
    'copy',
    "copy a library's generation to another one, and verify it",
    async () => (await import('./migration/worker.ts')).runCopyWorker,
  ],
  ['snapshot', 'make a snapshot of a library, and drop old ones', snapshotWorker],
  ['restore', 'make a collection of a snapshot, and prove it', snapshotWorker],
  [
    'reverse',
    'compare what serves with what a move has left, and keep that in step',
    async () => (await import('./migration/reverse-worker.ts')).runReverseWorker,
  ],
  [
    'discover',
    'look for domains in a library, and report them',
    async () => (await import('./library/discovery/worker.ts')).runDiscoveryWorker,
  ],
  [
    'vectorize',
    'read documents, embed them, and bring a library in step with them',
    async () => (await import('./vectorize/worker.ts')).runVectorizeWorker,
  ],
];

for (const [task, description, load] of WORKERS) {
  worker
    .command(task)
    .description(description)
    .requiredOption('--config <file>', 'what to do: JSON, written by the operator')
    .action(({ config }: { config: string }) =>
      // First of all: a first process of a container that listens for no SIGTERM never gets one.
      runWorkerProcess(load, { configFile: config, environment: process.env, signal: stopSignal() }),
    );
}

program
  .command('validate')
  .description('check manifests offline by the same rules as the API server; - reads standard input')
  .argument('<files...>', 'YAML or JSON files, folders, or -')
  .option('-o, --output <format>', 'text or json', 'text')
  .action(async (files: string[], { output }: { output: string }) => {
    const { runValidate } = await import('./validate.ts');
    process.exitCode = await runValidate({ files, output, stdin: process.stdin, stdout: process.stdout });
  });

program
  .command('crds')
  .description('print the custom resource definitions')
  .action(async () => {
    const { crdManifests } = await import('./api/index.ts');
    process.stdout.write(crdManifests());
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
