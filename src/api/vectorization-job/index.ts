import { kindDescriptor } from '../kind.ts';
import type { LibrarianObject } from '../object.ts';
import { spec, type VectorizationJobSpec } from './spec.ts';
import { status, type VectorizationJobStatus } from './status.ts';

export type VectorizationJob = LibrarianObject<'VectorizationJob', VectorizationJobSpec, VectorizationJobStatus>;

export const VECTORIZATION_JOB = kindDescriptor({
  kind: 'VectorizationJob',
  description: 'Reads documents, embeds them and keeps a library in step with them.',
  plural: 'vectorizationjobs',
  shortName: 'vecjob',
  spec,
  status,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50",
      message: 'metadata.name must be a DNS label of at most 50 characters: Jobs are named after it',
    },
  ],
  columns: [
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready or not.',
    },
    { name: 'Library', type: 'string', jsonPath: '.spec.target.libraryRef.name', description: 'Where points go.' },
    { name: 'Step', type: 'string', jsonPath: '.status.progress.step', description: 'Step of the run that goes on.' },
    { name: 'Percent', type: 'integer', jsonPath: '.status.progress.percent', description: 'Share done, in percent.' },
    { name: 'Last', type: 'date', jsonPath: '.status.lastRun.finishedAt', description: 'When the last run ended.' },
    { name: 'Result', type: 'string', jsonPath: '.status.lastRun.result', description: 'How the last run ended.' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'What a run does.', priority: 1 },
    {
      name: 'Next',
      type: 'string',
      jsonPath: '.status.nextAt',
      description: 'When the next run is due.',
      priority: 1,
    },
    {
      name: 'Chunks',
      type: 'integer',
      jsonPath: '.status.lastRun.chunks',
      description: 'Chunks of the last run.',
      priority: 1,
    },
  ],
});
