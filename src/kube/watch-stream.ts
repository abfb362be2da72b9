import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { DeadlineError } from './deadline.ts';
import { errorFromNetwork, errorFromStatus, KubeError, type RequestContext, type Status } from './errors.ts';
import type { KubeObject } from './objects.ts';

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing changed up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly error: KubeError };

/**
 * The events of a watch's body. Ends when the server ends the stream or when `signal` aborts.
 * Throws a KubeError with status 0 when the stream breaks, says nothing for `idleMilliseconds`, or is no JSON.
 */
export async function* watchEvents<T extends KubeObject>(
  body: Readable,
  context: RequestContext,
  options: { readonly idleMilliseconds: number; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { idleMilliseconds, signal } = options;
  const idle = setTimeout(
    () => body.destroy(new DeadlineError(`no data for ${idleMilliseconds} ms`)),
    idleMilliseconds,
  );
  const abort = (): void => void body.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const line of lines(body, () => idle.refresh())) {
      if (signal.aborted) return;
      yield parseEvent<T>(line, context);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof KubeError ? error : errorFromNetwork(context, error);
  } finally {
    clearTimeout(idle);
    signal.removeEventListener('abort', abort);
    body.destroy();
  }
}

async function* lines(body: Readable, onData: () => void): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body) {
    onData();
    const parts = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
  // A last line without its end was cut: the object in it may be half.
}

type RawEvent = { readonly type: string; readonly object: KubeObject & Status };

function parseEvent<T extends KubeObject>(line: string, context: RequestContext): WatchEvent<T> {
  const event = parseLine(line, context);
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object as unknown as T };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion ?? '' };
    case 'ERROR':
      return { type: 'ERROR', error: errorFromStatus(context, event.object) };
    default:
      throw invalid(context, `event type ${event.type}`);
  }
}

function parseLine(line: string, context: RequestContext): RawEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw invalid(context, 'a line is no JSON');
  }
  if (!isEvent(parsed)) throw invalid(context, 'a line is no event');
  return parsed;
}

const isEvent = (value: unknown): value is RawEvent =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'object' in value &&
  typeof value.object === 'object' &&
  value.object !== null;

const invalid = (context: RequestContext, message: string): KubeError =>
  new KubeError({ ...context, status: 0, reason: 'InvalidBody', message });
