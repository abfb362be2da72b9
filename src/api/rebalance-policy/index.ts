import { kindDescriptor } from '../kind.ts';
import type { LibrarianObject } from '../object.ts';
import { type RebalancePolicySpec, spec } from './spec.ts';
import { type RebalancePolicyStatus, status } from './status.ts';

export type RebalancePolicy = LibrarianObject<'RebalancePolicy', RebalancePolicySpec, RebalancePolicyStatus>;

export const REBALANCE_POLICY = kindDescriptor({
  kind: 'RebalancePolicy',
  description: 'Watches the load of clusters, forecasts it, plans moves of libraries and executes them within limits.',
  plural: 'rebalancepolicies',
  shortName: 'rbp',
  spec,
  status,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50",
      message: 'metadata.name must be a DNS label of at most 50 characters: ConfigMaps are named after it',
    },
  ],
  columns: [
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready or not.',
    },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'How far it goes by itself.' },
    { name: 'Plan', type: 'string', jsonPath: '.status.plan.state', description: 'Where the plan stands.' },
    { name: 'Moves', type: 'integer', jsonPath: '.status.plan.moves', description: 'Moves of the plan.' },
    {
      name: 'Digest',
      type: 'string',
      jsonPath: '.status.plan.digest',
      description: 'What an approval names.',
      priority: 1,
    },
    {
      name: 'Before',
      type: 'integer',
      jsonPath: '.status.plan.imbalanceBeforePercent',
      description: 'Imbalance before, in percent.',
      priority: 1,
    },
    {
      name: 'After',
      type: 'integer',
      jsonPath: '.status.plan.imbalanceAfterPercent',
      description: 'Imbalance after, in percent.',
      priority: 1,
    },
    {
      name: 'Observed',
      type: 'date',
      jsonPath: '.status.observedAt',
      description: 'When load was looked at last.',
      priority: 1,
    },
  ],
});
