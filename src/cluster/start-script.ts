import { readFileSync } from 'node:fs';

/** The script that every Qdrant container runs. No `$$` in it: Kubernetes would make that one `$`. */
export const START_SCRIPT = readFileSync(new URL('./start.sh', import.meta.url), 'utf8');
