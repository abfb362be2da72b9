import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOutcome } from '../run/outcome.ts';
import { unusedRules } from './compare.ts';
import { gatherUses, USES_FOLDER } from './uses.ts';

const OPERATOR_NAMESPACE = 'qdrant-librarian-system';

/** A folder for what the processes of a run see, known to those that are started from now on. */
export async function newUsesFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'qdrant-librarian-uses-'));
  process.env[USES_FOLDER] = path;
  return {
    path,
    async [Symbol.asyncDispose]() {
      delete process.env[USES_FOLDER];
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Files whose scenarios use every rule between them. Where one of them was not played whole, an unused rule tells nothing. */
const WITNESSES = ['access', 'bad-manifests', 'changes', 'deletion'];

/**
 * Whether a run used all that the operator's roles grant, and nothing beyond: as one more file of the run. Where nobody
 * saw the requests, there is no such file.
 *
 * @param folder where each process of the run left what it saw
 */
export async function accessOutcome(folder: string, files: readonly FileOutcome[]): Promise<FileOutcome[]> {
  const uses = await gatherUses(folder);
  if (uses === undefined) return [];
  const unused = unusedRules(uses.used, { namespace: OPERATOR_NAMESPACE, watchNamespace: undefined });
  const beyond = uses.unlisted.map((text) => `no rule lists: ${text}`);
  const superfluous = unused.map((text) => `granted, but not used: ${text}`);
  const missing = WITNESSES.filter((name) => !playedWhole(files.find(({ file }) => file === name)));
  const whole = missing.length === 0;
  const why = `it may be used by scenarios that were not played, or failed, of ${missing.join(', ')}`;
  return [
    {
      file: 'rights',
      seconds: 0,
      passed: [beyond, superfluous].filter(({ length }) => length === 0).length,
      failed: [...beyond, ...(whole ? superfluous : [])],
      leftOut: whole ? [] : superfluous.map((title) => ({ title, why })),
    },
  ];
}

const playedWhole = (outcome: FileOutcome | undefined): boolean =>
  outcome !== undefined && outcome.passed > 0 && outcome.failed.length + outcome.leftOut.length === 0;
