import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { KubeClient } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { ControllerParts, Startable } from './context.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointSliceController } from './endpoints/controller.ts';
import { garbageController } from './garbage/controller.ts';
import { SharedInformers } from './informers.ts';
import { jobController } from './job/controller.ts';
import { KnownTypes } from './known-types.ts';
import { namespaceController } from './namespace/controller.ts';
import { statefulSetController } from './statefulset/controller.ts';
import { claimController, volumeController } from './storage/controller.ts';

type Builder = (parts: ControllerParts, types: KnownTypes) => Startable;

const BUILDERS = {
  statefulset: statefulSetController,
  deployment: deploymentController,
  job: jobController,
  'persistent-volume-claim': claimController,
  'persistent-volume': volumeController,
  'endpoint-slice': endpointSliceController,
  disruption: disruptionController,
  namespace: namespaceController,
  garbage: garbageController,
} as const satisfies Readonly<Record<string, Builder>>;

export type ControllerName = keyof typeof BUILDERS;

export const CONTROLLER_NAMES = Object.keys(BUILDERS) as readonly ControllerName[];

export type ControllersOptions = {
  /** May do everything; is closed by the caller. */
  readonly client: KubeClient;
  /** Gets a directory per persistent volume. */
  readonly directory: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** All when not given. */
  readonly only?: readonly ControllerName[];
  /** Milliseconds since the epoch; the system's clock when not given. */
  readonly now?: () => number;
};

export type Controllers = {
  /** Resolves when every controller has stopped. */
  readonly stopped: Promise<void>;
  /** Stops them, as the signal does. */
  stop(): Promise<void>;
};

/**
 * Plays kube-controller-manager: workloads, claims, endpoints, budgets, namespaces and garbage, through the HTTP API
 * alone. Resolves when all are started; a controller that fails is logged.
 */
export async function startControllers(options: ControllersOptions): Promise<Controllers> {
  const { client, directory, log, only = CONTROLLER_NAMES, now = Date.now } = options;
  await mkdir(directory, { recursive: true });
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  setMaxListeners(0, signal);
  const informers = new SharedInformers({ client, log, signal });
  const parts: ControllerParts = { client, informers, log, directory, now };
  const types = new KnownTypes({ client, informers, log, signal });
  const running = only.map(async (name) => {
    try {
      await BUILDERS[name](parts, types).start(signal);
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, controller: name }, 'controller failed');
    }
  });
  const stopped = Promise.all([types.run(), ...running]).then(() => informers.ended());
  return {
    stopped,
    stop() {
      stopping.abort();
      return stopped;
    },
  };
}
