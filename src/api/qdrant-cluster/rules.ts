import type { CelRule } from '../schema/types.ts';

/** Size of a data volume where none is given. */
export const DEFAULT_VOLUME_SIZE = '10Gi';

/** Fields that mean something only for a cluster that the operator runs. */
const MANAGED_FIELDS = [
  'version',
  'image',
  'size',
  'resources',
  'persistence',
  'snapshotPersistence',
  'config',
  'apiKey',
  'readOnlyApiKey',
  'keyRotation',
  'jwtRbac',
  'tls',
  'service',
  'affinity',
  'tolerations',
  'nodeSelector',
  'topologySpreadConstraints',
  'priorityClassName',
  'podDisruptionBudget',
  'networkPolicy',
  'metrics',
] as const;

const excluded = MANAGED_FIELDS.map(
  (field): CelRule => ({
    rule: `!(has(self.external) && has(self.${field}))`,
    message: `${field} may not be specified when external is set: the operator does not run that cluster`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden',
  }),
);

const required = (['version', 'size'] as const).map(
  (field): CelRule => ({
    rule: `has(self.external) || has(self.${field})`,
    message: `${field} must be specified unless external is set`,
    fieldPath: `.${field}`,
    reason: 'FieldValueRequired',
  }),
);

const sizeOf = (object: string, volume: string) =>
  `quantity(has(${object}.${volume}) && has(${object}.${volume}.size) ? ${object}.${volume}.size : '${DEFAULT_VOLUME_SIZE}')`;

const classOf = (object: string, volume: string) =>
  `(has(${object}.${volume}) && has(${object}.${volume}.storageClassName) ? ${object}.${volume}.storageClassName : '')`;

const volumes = ['persistence', 'snapshotPersistence'].flatMap((volume): CelRule[] => [
  {
    rule: `${sizeOf('self', volume)}.compareTo(${sizeOf('oldSelf', volume)}) >= 0`,
    message: `${volume}.size may grow, never shrink (default ${DEFAULT_VOLUME_SIZE})`,
  },
  {
    rule: `${classOf('self', volume)} == ${classOf('oldSelf', volume)}`,
    message: `${volume}.storageClassName can't be changed`,
  },
]);

export const specRules: readonly CelRule[] = [
  { rule: 'has(self.external) == has(oldSelf.external)', message: "external can't be added or removed" },
  ...excluded,
  ...required,
  ...volumes,
  {
    rule: "!has(self.external) || !has(self.deletionPolicy) || self.deletionPolicy == 'Retain'",
    message: 'deletionPolicy must be Retain when external is set: the operator owns no volume there',
    fieldPath: '.deletionPolicy',
  },
  {
    rule: '!has(self.keyRotation) || !has(self.apiKey) || !has(self.apiKey.secretKeyRef)',
    message: 'keyRotation may not be specified when apiKey.secretKeyRef is set: only generated keys are rotated',
    fieldPath: '.keyRotation',
  },
];
