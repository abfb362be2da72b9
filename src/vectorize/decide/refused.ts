import type { VectorizationJob } from '../../api/index.ts';
import { BUILT_SOURCES } from '../config.ts';
import type { Reason } from '../reasons.ts';
import { timetableProblem } from '../timetable.ts';

export type Refusal = { readonly reason: Reason; readonly message: string };

const KINDS = ['git', 'http', 's3', 'configMap', 'persistentVolumeClaim', 'collection'] as const;
export type SourceKind = (typeof KINDS)[number];

/** The kind of the source; undefined for a spec that names none. */
export const sourceKind = ({ spec }: Pick<VectorizationJob, 'spec'>): SourceKind | undefined =>
  KINDS.find((kind) => spec.source[kind] !== undefined);

/** What only another spec can cure: field, value, rule. */
export function refusalOf(job: VectorizationJob): Refusal | undefined {
  const { chunking, schedule, timeZone } = job.spec;
  const kind = sourceKind(job);
  const built: readonly string[] = BUILT_SOURCES;
  if (kind === undefined || !built.includes(kind)) {
    const message = `spec.source.${kind ?? ''}: sources of this kind are not built; there are ${built.join(', ')}`;
    return { reason: 'NotBuilt', message };
  }
  const table = schedule === undefined ? undefined : timetableProblem({ schedule, timeZone });
  if (table !== undefined) return { reason: 'InvalidSpec', message: table };
  const files = kind === 'configMap' || kind === 'persistentVolumeClaim';
  if (chunking?.strategy === 'Packages' && !files) {
    const message = `spec.chunking.strategy: Packages reads files, and spec.source.${kind} gives none`;
    return { reason: 'InvalidSpec', message };
  }
  return undefined;
}
