import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const OF_RUN = 'E2E_ARTIFACTS_OF_RUN';

/** A folder for the failures of one run; the first of them makes it. Under $E2E_ARTIFACTS or the system's folder. */
export function newArtifactsFolder(ground: string): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const folder = join(process.env['E2E_ARTIFACTS'] ?? tmpdir(), `qdrant-librarian-e2e-${basename(ground)}-${time}`);
  process.env[OF_RUN] = folder;
  return folder;
}

/** The folder of a scenario: in the run's one, or in a new one where a file plays alone. */
export function failureFolder(ground: string, file: string, title: string): string {
  const name = `${basename(file).split('.')[0]}--${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  return join(process.env[OF_RUN] ?? newArtifactsFolder(ground), name.slice(0, 100).replace(/-$/, ''));
}
