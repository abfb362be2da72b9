import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  allNeedsBut,
  type Basics,
  CannotStart,
  type Capabilities,
  type GroundOptions,
  type Need,
  type Prepared,
} from '../../ground.ts';
import { freePort } from '../control-plane/free-port.ts';
import { attach } from './attached.ts';
import { own, removeLeftovers } from './down.ts';
import { playInside, playsOutside } from './enter.ts';
import { listenOutside } from './forward.ts';
import { keepLogs } from './keep-logs.ts';
import { HIDDEN, MARK } from './layout.ts';
import { readyMachine } from './machine.ts';
import type { Handle } from './processes.ts';
import { programsOf } from './programs.ts';
import { up } from './up.ts';

const HANDLE = 'E2E_NODE';

const realQdrant = (): boolean => (process.env['QDRANT_BIN'] ?? '') !== '';

export const parts = (): string =>
  'a whole node REAL (control plane, kubelet, kube-proxy, containerd, runc, DNS, storage; operator from its image and chart), ' +
  `Qdrant ${realQdrant() ? 'REAL' : 'embedded'}`;

/** A file of scenarios asks this first: it goes on inside the node's network. */
export async function provides(): Promise<ReadonlySet<Need>> {
  if (process.env[HANDLE] !== undefined && playsOutside()) process.exit(await playInside(handleOfRun()));
  return allNeedsBut(['api-faults', ...(realQdrant() ? (['qdrant-faults'] as const) : [])]);
}

/**
 * Brings up a node for the run: minutes when its programs have to be built, seconds else.
 *
 * @throws CannotStart when the machine lacks a part
 */
export async function prepare(say: (text: string) => void): Promise<Prepared> {
  await readyMachine(say);
  const programs = await programsOf(say);
  for (const name of await removeLeftovers()) say(`${name}, left by a run that was killed, is removed\n`);
  const began = performance.now();
  const directory = await mkdtemp(join(await placeOfRuns(), MARK));
  await own(directory);
  const keeper = startKeeper(directory);
  const port = await freePort('127.0.0.1');
  const forwarder = await listenOutside(port, join(directory, 'api.sock'));
  const stop = async (): Promise<void> => {
    forwarder.close();
    try {
      await keepLogs(directory);
    } finally {
      await keeper.end();
    }
  };
  try {
    const handle = await up({ directory, port, programs, say });
    say(
      `the node is up after ${((performance.now() - began) / 1000).toFixed(1)} s; KUBECONFIG=${directory}/admin.kubeconfig\n`,
    );
    // Everything of a cluster runs on the processors that play the scenarios.
    const environment = { [HANDLE]: JSON.stringify(handle), E2E_PATIENCE: process.env['E2E_PATIENCE'] ?? '2' };
    if (!playsOutside()) return { environment, stop };
    // Who plays a single file prepares the ground in the file's process.
    Object.assign(process.env, environment, { E2E_PREPARED: 'node' });
    const code = await playInside(handle);
    await stop();
    process.exit(code);
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  return attach(handleOfRun(), options);
}

/** Paths of unix sockets hold 107 bytes. */
const LONGEST_PLACE = 70;

async function placeOfRuns(): Promise<string> {
  const place = await realpath(tmpdir());
  if (place.length > LONGEST_PLACE) throw new CannotStart(`${place} is too long a name for a folder of sockets`);
  const hidden = HIDDEN.find((folder) => `${place}/`.startsWith(`${folder}/`));
  if (hidden === undefined) return place;
  throw new CannotStart(`a node has its own ${hidden}: TMPDIR must lie somewhere else than ${place}`);
}

function handleOfRun(): Handle {
  const text = process.env[HANDLE];
  if (text === undefined) throw new Error('no node was prepared');
  return JSON.parse(text) as Handle;
}

/** Ends the node when told to, or when this process is dead. */
function startKeeper(directory: string): { end(): Promise<void> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), directory], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.unref();
  return {
    async end() {
      const ended = child.exitCode === null ? once(child, 'exit') : undefined;
      child.ref();
      child.stdin.end();
      await ended;
      if (child.exitCode !== 0) throw new Error(`${directory} could not be removed`);
    },
  };
}
