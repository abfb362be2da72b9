import { basename } from 'node:path';

/** What `npm test` plays: no acknowledged write is lost, whatever is killed, taken away or badly asked for. */
const CORE = ['bad-manifests', 'deletion', 'generation', 'gitops', 'leader', 'node', 'peers', 'scale-in', 'secrets'];

export const isCore = (file: string): boolean => CORE.includes(basename(file, '.test.ts'));

const VARIABLE = 'E2E_BEGIN_REST_BY';

/** @param seconds after now no file begins that isn't core */
export const limitRest = (seconds: number): void => {
  process.env[VARIABLE] = String(Date.now() + seconds * 1000);
};

/** Whether a run that is short of time leaves the file out that begins now. */
export function isLate(file: string): boolean {
  const by = process.env[VARIABLE];
  return by !== undefined && !isCore(file) && Date.now() > Number(by);
}
