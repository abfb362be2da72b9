import { cp, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { layoutOf } from './layout.ts';

/** Puts what the parts of the node said beside what a run left of its failures, if it left something. */
export async function keepLogs(directory: string): Promise<void> {
  const failures = process.env['E2E_ARTIFACTS_OF_RUN'];
  if (failures === undefined || !(await exists(failures))) return;
  const { logs, audit } = layoutOf(directory);
  const filter = (path: string): boolean => basename(path) !== basename(audit);
  await cp(logs, join(failures, 'node'), { recursive: true, filter });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
