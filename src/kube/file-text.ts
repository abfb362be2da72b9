import { readFile } from 'node:fs/promises';
import { type Clock, systemClock } from './clock.ts';

/** The text of a file that others rewrite. */
export type FileText = { read(): Promise<string>; forget(): void };

/** Source: client-go `cachingTokenSource`: a token file is read again after a minute. */
const FRESH_MILLISECONDS = 60_000;

/** Reads at most once a minute; a failed re-read keeps the last text, a failed first one rejects. */
export function fileText(path: string, clock: Pick<Clock, 'now'> = systemClock): FileText {
  let last: { text: string; readAt: number } | undefined;
  let stale = false;
  return {
    read: async () => {
      if (last !== undefined && !stale && clock.now() - last.readAt < FRESH_MILLISECONDS) return last.text;
      try {
        last = { text: await readFile(path, 'utf8'), readAt: clock.now() };
        stale = false;
        return last.text;
      } catch (error) {
        if (last === undefined) throw error;
        return last.text;
      }
    },
    forget: () => {
      stale = true;
    },
  };
}
