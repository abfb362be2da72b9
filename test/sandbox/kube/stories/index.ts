import { lists, refusals, watches } from './answers.ts';
import { access, events, leases, pods } from './cluster-life.ts';
import { clusterObjects, copyObjectsStory } from './cluster-objects.ts';
import { definitions, kinds } from './kinds.ts';
import { managers } from './managers.ts';
import { rules } from './rules.ts';
import { badDefinitions, celRules, schemas } from './schemas.ts';
import type { Story } from './story.ts';

export const STORIES: readonly Story[] = [
  definitions,
  kinds,
  rules,
  managers,
  clusterObjects,
  copyObjectsStory,
  refusals,
  lists,
  watches,
  events,
  leases,
  access,
  pods,
  schemas,
  celRules,
  badDefinitions,
];
