import { kindDescriptor } from '../kind.ts';
import type { LibrarianObject } from '../object.ts';
import { type DomainLibrarySpec, spec } from './spec.ts';
import { type DomainLibraryStatus, status } from './status.ts';

export type DomainLibrary = LibrarianObject<'DomainLibrary', DomainLibrarySpec, DomainLibraryStatus>;

export const DOMAIN_LIBRARY = kindDescriptor({
  kind: 'DomainLibrary',
  description: 'A knowledge domain: a public collection name over a physical collection shaped for it.',
  plural: 'domainlibraries',
  shortName: 'dlib',
  spec,
  status,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50",
      message: 'metadata.name must be a DNS label of at most 50 characters: Jobs and Secrets are named after it',
    },
    {
      rule: "has(self.spec.collection) || !self.metadata.name.matches('--g[0-9]+$')",
      message:
        'metadata.name must not end in --g<number> unless collection is set: such names are those of generations',
    },
  ],
  columns: [
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready or not.',
    },
    { name: 'Domain', type: 'string', jsonPath: '.spec.domain', description: 'Knowledge domain.' },
    { name: 'Cluster', type: 'string', jsonPath: '.status.cluster', description: 'Where it lives.' },
    { name: 'Generation', type: 'integer', jsonPath: '.status.generation', description: 'Active generation.' },
    { name: 'Points', type: 'integer', jsonPath: '.status.points', description: 'Number of points.' },
    { name: 'Change', type: 'string', jsonPath: '.status.change.step', description: 'Step of a running change.' },
    {
      name: 'Collection',
      type: 'string',
      jsonPath: '.status.collection',
      description: 'Physical collection.',
      priority: 1,
    },
    { name: 'Status', type: 'string', jsonPath: '.status.status', description: "Qdrant's colour.", priority: 1 },
    {
      name: 'Binding',
      type: 'string',
      jsonPath: '.status.binding.name',
      description: 'Secret that applications mount.',
      priority: 1,
    },
  ],
});
