import type { Static } from 'typebox';
import { big, choice, flag, integer, intOrString, list, map, object, optional, text, time } from './builders.ts';

/** Quantities as Kubernetes reads them. Source: k8s.io/apimachinery `resource.Quantity`. */
export const QUANTITY_PATTERN =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';
/** Characters that Qdrant refuses in names of collections and vectors. Source: reference/qdrant-api.md 3.1. */
export const QDRANT_NAME_PATTERN = '^[^<>:"/\\\\|?*\\x00\\x1f]+$';
const DNS_NAME_PATTERN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
const LABEL_KEY_PATTERN = '^([a-z0-9A-Z]([-a-z0-9A-Z._]*[a-z0-9A-Z])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';
const SECRET_KEY_PATTERN = '^[-._a-zA-Z0-9]+$';
const URL_PATTERN = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$';
const CRON_PATTERN = '^(@(hourly|daily|weekly|monthly|yearly)|[^\\s]+( [^\\s]+){4})$';
const MONEY_PATTERN = '^([1-9][0-9]{0,8}(\\.[0-9]{1,6})?|0\\.[0-9]{0,5}[1-9][0-9]{0,5})$';
const TIME_ZONE_PATTERN = '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$';
export const VERSION_PATTERN = '^1\\.(1[6-9]|[2-9][0-9])\\.[0-9]{1,3}$';

/** What a pattern asks for, in words; the expression itself helps nobody. */
export const PATTERN_MEANINGS: ReadonlyMap<string, string> = new Map([
  [QUANTITY_PATTERN, 'must be a quantity such as 500m or 10Gi'],
  [MONEY_PATTERN, 'must be an amount above zero, such as 12 or 0.02, with at most nine digits and six decimals'],
  [QDRANT_NAME_PATTERN, 'must not contain any of < > : " / \\ | ? *'],
  [DNS_NAME_PATTERN, 'must be a name of lowercase letters, digits, - and .'],
  [LABEL_KEY_PATTERN, 'must be a label key'],
  [URL_PATTERN, 'must be an http:// or https:// URL without user, query and fragment'],
  [CRON_PATTERN, 'must be five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly'],
  [TIME_ZONE_PATTERN, 'must be an IANA time zone such as Europe/Vienna'],
  [VERSION_PATTERN, 'must be a version of Qdrant from 1.16.0 such as 1.18.3'],
]);

export const objectName = (description: string) => text(description, { min: 1, max: 253, pattern: DNS_NAME_PATTERN });

export const collectionName = (description: string) =>
  text(description, { min: 1, max: 200, pattern: QDRANT_NAME_PATTERN });

/** As text: a number of JSON is no sum of money. */
export const money = (description: string) => text(description, { min: 1, max: 16, pattern: MONEY_PATTERN });

export const url = (description: string) => text(description, { min: 8, max: 2048, pattern: URL_PATTERN });

/** Five fields of cron, or @hourly, @daily, @weekly, @monthly, @yearly. */
export const cron = (description: string) => text(description, { min: 6, max: 128, pattern: CRON_PATTERN });

export const timeZone = (description: string) =>
  text(description, { max: 64, pattern: TIME_ZONE_PATTERN, default: 'Etc/UTC' });

export const percent = (description: string, options: { min?: number; max?: number; default?: number } = {}) =>
  integer(description, { min: 0, max: 100, ...options });

export const localRef = (description: string) =>
  object(description, { name: objectName('Name of the object, in the same namespace.') }, { atomic: true });

/** One key of a Secret in the same namespace. */
export const secretKeyRef = (description: string, defaultKey: string) =>
  object(
    description,
    {
      name: objectName('Name of the Secret, in the same namespace.'),
      key: optional(text('Key in the Secret.', { min: 1, max: 253, pattern: SECRET_KEY_PATTERN, default: defaultKey })),
    },
    { atomic: true },
  );

/** Kubernetes' own label selector; an empty one selects everything. */
export const labelSelector = (description: string) =>
  object(
    description,
    {
      matchLabels: optional(
        map('Labels that must all be there with these values.', text('Value of the label.', { max: 63 }), { max: 32 }),
      ),
      matchExpressions: optional(
        list(
          'Further requirements; all must hold.',
          object('One requirement.', {
            key: text('Label key.', { min: 1, max: 317, pattern: LABEL_KEY_PATTERN }),
            operator: choice('How the label relates to the values.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
            values: optional(list('Values for In and NotIn.', text('A label value.', { max: 63 }), { max: 32 })),
          }),
          { max: 16 },
        ),
      ),
    },
    { atomic: true },
  );

export const stringMap = (description: string, options: { max: number; valueMax: number }) =>
  map(description, text('Value.', { max: options.valueMax }), { max: options.max });

/** Amount of storage, e.g. 10Gi. */
export const storageSize = (description: string, defaultSize?: string) =>
  text(description, {
    min: 1,
    max: 32,
    pattern: QUANTITY_PATTERN,
    ...(defaultSize === undefined ? {} : { default: defaultSize }),
    rules: [{ rule: "quantity(self).isGreaterThan(quantity('0'))", message: 'must be greater than 0' }],
  });

const quantities = (description: string) =>
  map(description, intOrString('Quantity, e.g. 500m or 2Gi.', { max: 32, pattern: QUANTITY_PATTERN }), { max: 16 });

export const resources = (description: string) =>
  object(description, {
    limits: optional(quantities('Most that a container may use, by resource name.')),
    requests: optional(quantities('What a container is scheduled with, by resource name.')),
  });

/** Source: kubernetes/community api-conventions.md, "Typical status properties". */
export const conditionSchema = object('What is the case, by type.', {
  type: text('Kind of the condition, e.g. Ready.', { min: 1, max: 316 }),
  status: choice('Whether it is the case.', ['True', 'False', 'Unknown']),
  observedGeneration: optional(big('metadata.generation that this was judged on.')),
  lastTransitionTime: time('When status changed last.'),
  reason: text('One CamelCase word a program can act on.', {
    min: 1,
    max: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
  }),
  message: text('A sentence for people: field, value and rule.', { max: 32768 }),
});
export type Condition = Static<typeof conditionSchema>;

export const conditions = list('What is the case with this object, one entry per type.', conditionSchema, {
  max: 32,
  keys: ['type'],
});

/** A named predicate that refuses a destructive step now. */
const blockerSchema = object('A predicate that refuses.', {
  name: text('Name of the predicate; see docs/predicates.md.', { min: 1, max: 63 }),
  reason: text('Why it refuses, with figures.', { max: 1024 }),
});
export type Blocker = Static<typeof blockerSchema>;

export const blockedBy = list(
  'Predicates that refuse the next step, in the order asked; empty: nothing does.',
  blockerSchema,
  {
    max: 32,
  },
);

export const observedGeneration = optional(big('metadata.generation that this status was computed from.'));

export const lastHandled = optional(
  stringMap('The last value obeyed of each annotation that is a verb, by its name without prefix.', {
    max: 16,
    valueMax: 256,
  }),
);

export const suspend = optional(flag('Stops every action on this object; a condition says so while it is true.'));
