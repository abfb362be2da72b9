import { createWriteStream } from 'node:fs';
import { inspect } from 'node:util';
import { Command } from 'commander';
import { Listr } from 'listr2';
import { PODS } from '../src/kube/index.ts';
import { createLogger, silentLogger } from '../src/telemetry/index.ts';
import { Facts, mebibytes, seconds } from './run/facts.ts';
import { watchMemory } from './run/memory.ts';
import { NAMESPACE } from './run/stage.ts';
import { Story } from './run/story.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

type Flags = { readonly once?: boolean; readonly log?: string };

/** What it is to take on two cores. */
const GOAL = { milliseconds: 120_000, bytes: 1.5 * 1024 ** 3 };
/** What it must not take: then something hangs or leaks. */
const LIMIT = { milliseconds: 300_000, bytes: 2 * 1024 ** 3 };

const say = (text: string): void => void process.stdout.write(text);

const program = new Command('sandbox')
  .description('A whole cluster in one process tree: control plane, node, Qdrant, the operator.')
  .option('--once', 'run the main job, print the facts, stop')
  .option('--log <file>', "write the parts' JSON log to a file")
  .parse();
const flags = program.opts<Flags>();

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));
}

process.exitCode = await run();

async function run(): Promise<number> {
  const log = flags.log === undefined ? silentLogger : createLogger('debug', createWriteStream(flags.log));
  const facts = new Facts();
  const began = performance.now();
  let sandbox: Sandbox | undefined;
  let story: Story | undefined;
  const memory = watchMemory(() => [
    process.pid,
    ...(sandbox?.agent.processes().map(({ pid }) => pid) ?? []),
    ...(story?.pids ?? []),
  ]);
  let failure: unknown;
  try {
    await new Listr(
      [
        {
          title: 'control plane, node and operator start',
          task: async () => {
            sandbox = await startSandbox({ log, gateways: 2 });
            story = new Story(sandbox, facts, stopping.signal);
          },
        },
        {
          title: 'the main job',
          task: (_context, task) =>
            task.newListr(
              (story?.chapters ?? []).map(({ title, run: tell }) => ({
                title,
                task: async (_inner, chapter): Promise<void> => {
                  stopping.signal.throwIfAborted();
                  await tell((text) => {
                    // What is not new would be told again on plain lines.
                    if (chapter.output !== text) chapter.output = text;
                  });
                },
              })),
              { rendererOptions: { collapseSubtasks: false } },
            ),
        },
      ],
      // Its own handlers would end the process before anything is cleaned up.
      { concurrent: false, fallbackRenderer: 'verbose', registerSignalListeners: false },
    ).run();
    const took = performance.now() - began;
    const peak = memory.stop();
    facts.check(
      'the main job took',
      `${seconds(took)} (goal ${seconds(GOAL.milliseconds)})`,
      took < LIMIT.milliseconds,
    );
    const bytes = `${mebibytes(peak)} (goal ${mebibytes(GOAL.bytes)})`;
    facts.check('peak memory of all processes', bytes, peak < LIMIT.bytes);
    if (flags.once !== true && sandbox !== undefined) await stayUp(sandbox, story, facts);
  } catch (error) {
    failure = error;
  } finally {
    memory.stop();
    await story?.close();
    await sandbox?.stop();
  }
  if (flags.once === true || failure !== undefined) say(`\n${facts.table()}\n${parts()}`);
  if (failure !== undefined && !stopping.signal.aborted)
    say(`\nFAILED: ${failure instanceof Error ? failure.message : inspect(failure)}\n`);
  if (stopping.signal.aborted) return flags.once === true ? 130 : 0;
  for (const { name, value } of facts.failed) say(`FAILED: ${name}: ${value}\n`);
  return failure === undefined && facts.failed.length === 0 ? 0 : 1;
}

function parts(): string {
  const qdrant = process.env['QDRANT_BIN'] === undefined ? 'embedded' : 'REAL';
  return `Parts: control plane embedded, node embedded (pods are processes), Qdrant ${qdrant}, embeddings embedded (hashing).\n`;
}

async function stayUp(sandbox: Sandbox, story: Story | undefined, facts: Facts): Promise<void> {
  say(`
${facts.table()}
${parts()}
The sandbox stays up until you press Ctrl+C. In another terminal:

  export KUBECONFIG=${sandbox.kubeconfigFile}
  kubectl get librarian -n ${NAMESPACE}
  kubectl describe qdrantcluster stacks -n ${NAMESPACE}
  kubectl scale qdc stacks --replicas 4 -n ${NAMESPACE}
  kubectl logs deploy/qdrant-librarian -n qdrant-librarian-system

API server: ${sandbox.controlPlane.url}
`);
  if (story?.embedder !== undefined) {
    const { url, model } = story.embedder;
    say(`Embedder: ${url}, model ${model}; as Ollama, OpenAI, TEI and Gemini\n`);
  }
  const labelSelector = 'app.kubernetes.io/name=qdrant';
  for (const { metadata, status } of await sandbox.admin.listAll(PODS, { namespace: NAMESPACE, labelSelector })) {
    if (status?.podIP !== undefined) say(`Qdrant ${metadata.name}: http://${status.podIP}:6333\n`);
  }
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
}
