import { Readable } from 'node:stream';
import type { ContainerLog, LogLine } from './container-log.ts';

/** The query of the pod log subresource. Source: Kubernetes `core/v1` PodLogOptions. */
export type LogQuery = {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly limitBytes?: number;
  readonly signal: AbortSignal;
};

/** The lines a query asks for, of those that were kept. `now` is milliseconds since the epoch. */
export function selectLines(lines: readonly LogLine[], query: Omit<LogQuery, 'signal'>, now: number): LogLine[] {
  const since = query.sinceSeconds === undefined ? undefined : new Date(now - query.sinceSeconds * 1000).toISOString();
  const recent = since === undefined ? lines : lines.filter(({ time }) => time >= since);
  return query.tailLines === undefined ? [...recent] : recent.slice(Math.max(recent.length - query.tailLines, 0));
}

async function* texts(log: ContainerLog, query: LogQuery): AsyncGenerator<string> {
  const text = ({ time, text: line }: LogLine): string => `${query.timestamps ? `${time} ` : ''}${line}\n`;
  // Subscribed before the file is read, so that no line falls between.
  const following = query.follow ? log.following(query.signal) : undefined;
  const first = following?.next();
  yield* selectLines(log.kept(), query, Date.now()).map(text);
  if (following === undefined || first === undefined) return;
  for (let next = await first; next.done !== true; next = await following.next()) yield text(next.value);
}

async function* limited(chunks: AsyncIterable<string>, bytes: number): AsyncGenerator<string> {
  let left = bytes;
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk).subarray(0, left);
    yield part.toString();
    left -= part.length;
    if (left <= 0) return;
  }
}

/** A container's log as text; with `follow` it goes on until the run ends or the reader goes away. */
export function readLog(log: ContainerLog, query: LogQuery): Readable {
  const all = texts(log, query);
  return Readable.from(query.limitBytes === undefined ? all : limited(all, query.limitBytes));
}
