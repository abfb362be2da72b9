import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_SECONDS } from './patience.ts';

/** Asks until it holds; an error of the last attempt is told. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  let trouble: unknown;
  while (performance.now() < deadline) {
    try {
      if (await holds()) return;
      trouble = undefined;
    } catch (error) {
      trouble = error;
    }
    await sleep(100);
  }
  const cause = trouble === undefined ? {} : { cause: trouble };
  throw new Error(`not within ${PATIENCE_SECONDS} s: ${what}`, cause);
}
