import type { ClusterClient } from '../qdrant/index.ts';
import { KEY_DIRECTORIES, type SideConfig } from './config.ts';
import { connectSide } from './connect.ts';
import type { WorkerFrame, WorkerOptions } from './worker-frame.ts';

type Connected = { readonly client: ClusterClient; readonly collection: string };

/** Clients of both sides, whose reads end when the worker is told to stop, or has ended. */
export async function connectBoth(
  config: Readonly<Record<keyof typeof KEY_DIRECTORIES, SideConfig>>,
  { environment, signal }: Pick<WorkerOptions, 'environment' | 'signal'>,
  { log, closing }: Pick<WorkerFrame, 'log' | 'closing'>,
): Promise<{ readonly source: Connected; readonly target: Connected }> {
  const over = new AbortController();
  const reading = AbortSignal.any([signal, over.signal]);
  const connect = async (name: keyof typeof KEY_DIRECTORIES): Promise<Connected> => {
    const client = await connectSide(config[name], environment[KEY_DIRECTORIES[name]], { log, reading });
    closing.push(() => client.close());
    return { client, collection: config[name].collection };
  };
  const source = await connect('source');
  const target = await connect('target');
  // A page that was read ahead, and that nobody wants any more.
  closing.push(() => over.abort(new Error('the work has ended')));
  return { source, target };
}
