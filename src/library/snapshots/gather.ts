import type { DomainLibrary } from '../../api/index.ts';
import type { ConfigMap, Job } from '../../kube/index.ts';
import type { LibraryDeps } from '../deps.ts';
import { ownedBy } from '../indexes.ts';
import { taskOf } from '../names.ts';
import { destinationOf } from './destination.ts';
import { NONCE_ANNOTATION, RESTORE_TASK, ROLE_LABEL, SCHEDULED_ANNOTATION, SNAPSHOT_TASK, TIDY } from './names.ts';
import { ACCESS_KEY_FILE, SECRET_KEY_FILE } from './task-config.ts';
import { parseTaskProgress, TASK_PROGRESS_KEY, type TaskProgress } from './task-progress.ts';
import type { KeptSnapshot, SnapshotWorld } from './world.ts';

/** What the caches of Kubernetes objects tell of a library's snapshots and restores. */
export function snapshotWorld({ informers }: LibraryDeps, library: DomainLibrary): SnapshotWorld {
  const maps = ownedBy(library, informers.configMaps);
  const jobs = ownedBy(library, informers.jobs);
  const ofTask = <T extends ConfigMap | Job>(objects: readonly T[], task: string): T[] =>
    objects.filter((object) => taskOf(object) === task);
  const restoreMaps = ofTask(maps, RESTORE_TASK);
  const isTidying = ({ metadata }: ConfigMap | Job): boolean => metadata.labels?.[SNAPSHOT_LABEL] === TIDY;
  const tidyMaps = ofTask(maps, SNAPSHOT_TASK).filter(isTidying);
  return {
    kept: ofTask(maps, SNAPSHOT_TASK)
      .filter((map) => roleOf(map) === 'snapshot')
      .map(keptOf),
    restores: new Map(
      restoreMaps.flatMap((map): [number, TaskProgress][] => {
        const progress = progressOf(map);
        return progress === undefined ? [] : [[generationOf(map), progress]];
      }),
    ),
    restoreObjects: [...new Set([...restoreMaps, ...ofTask(jobs, RESTORE_TASK)].map(generationOf))],
    snapshotObjects: [
      ...new Set(
        [...ofTask(maps, SNAPSHOT_TASK).filter((map) => roleOf(map) === 'config'), ...ofTask(jobs, SNAPSHOT_TASK)]
          .filter((object) => !isTidying(object))
          .map(({ metadata }) => metadata.labels?.[SNAPSHOT_LABEL] ?? ''),
      ),
    ],
    tidying:
      tidyMaps.length === 0 && !ofTask(jobs, SNAPSHOT_TASK).some(isTidying)
        ? undefined
        : { progress: tidyMaps.map(progressOf).find((progress) => progress !== undefined) },
    credentialsProblem: credentialsProblem(informers, library),
  };
}

/** On objects of a snapshot's Job: its name. */
export const SNAPSHOT_LABEL = 'qdrant-librarian.io/snapshot-name';
/** On objects of a restore: the generation that it makes. */
export const GENERATION_LABEL = 'qdrant-librarian.io/generation';

const roleOf = ({ metadata }: ConfigMap): string | undefined => metadata.labels?.[ROLE_LABEL];
const generationOf = ({ metadata }: ConfigMap | Job): number => Number(metadata.labels?.[GENERATION_LABEL] ?? 0);
const progressOf = ({ data }: ConfigMap): TaskProgress | undefined => parseTaskProgress(data?.[TASK_PROGRESS_KEY]);

function keptOf(map: ConfigMap): KeptSnapshot {
  const { name, annotations, creationTimestamp } = map.metadata;
  const scheduled = Date.parse(annotations?.[SCHEDULED_ANNOTATION] ?? '');
  return {
    name,
    begunAt: Date.parse(creationTimestamp ?? ''),
    nonce: annotations?.[NONCE_ANNOTATION],
    scheduledFor: Number.isNaN(scheduled) ? undefined : scheduled,
    progress: progressOf(map),
  };
}

function credentialsProblem({ secrets }: LibraryDeps['informers'], library: DomainLibrary): string | undefined {
  const reference = destinationOf(library).s3?.credentialsSecretRef;
  if (reference === undefined) return undefined;
  const { name } = reference;
  const secret = secrets.store.get({ namespace: library.metadata.namespace ?? '', name });
  if (secret === undefined)
    return `Secret ${name} of spec.snapshots.destination.s3.credentialsSecretRef does not exist`;
  const missing = [ACCESS_KEY_FILE, SECRET_KEY_FILE].filter((key) => (secret.data?.[key] ?? '') === '');
  return missing.length === 0 ? undefined : `Secret ${name} lacks ${missing.join(' and ')}`;
}
