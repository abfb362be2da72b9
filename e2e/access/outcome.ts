import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOutcome } from '../run/outcome.ts';
import { unusedByGateway, unusedRules } from './compare.ts';
import { ACCOUNTS, gatherUses, USES_FOLDER, type Uses } from './uses.ts';

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
const WITNESSES: Readonly<Record<keyof Uses, readonly string[]>> = {
  operator: ['access', 'bad-manifests', 'changes', 'deletion'],
  gateway: ['gateway'],
};

/**
 * Whether a run used all that the roles of operator and gateway grant, and nothing beyond: as one more file of the run.
 * Where nobody saw the requests, there is no such file.
 *
 * @param folder where each process of the run left what it saw
 */
export async function accessOutcome(folder: string, files: readonly FileOutcome[]): Promise<FileOutcome[]> {
  const uses = await gatherUses(folder);
  if (uses === undefined) return [];
  const places = { namespace: OPERATOR_NAMESPACE, watchNamespace: undefined };
  const unused = {
    operator: unusedRules(uses.operator.used, places),
    gateway: unusedByGateway(uses.gateway.used),
  };
  const beyond = [...uses.operator.unlisted, ...uses.gateway.unlisted.map((text) => `gateway: ${text}`)];
  const failed = beyond.map((text) => `no rule lists: ${text}`);
  const leftOut: FileOutcome['leftOut'] = [];
  for (const account of ACCOUNTS) {
    const superfluous = unused[account].map((text) => `granted, but not used: ${text}`);
    const missing = WITNESSES[account].filter((name) => !playedWhole(files.find(({ file }) => file === name)));
    const why = `it may be used by scenarios that were not played, or failed, of ${missing.join(', ')}`;
    if (missing.length === 0) failed.push(...superfluous);
    else leftOut.push(...superfluous.map((title) => ({ title, why })));
  }
  const passed = [beyond, [...unused.operator, ...unused.gateway]].filter(({ length }) => length === 0).length;
  return [{ file: 'rights', seconds: 0, passed, failed, leftOut }];
}

const playedWhole = (outcome: FileOutcome | undefined): boolean =>
  outcome !== undefined && outcome.passed > 0 && outcome.failed.length + outcome.leftOut.length === 0;
