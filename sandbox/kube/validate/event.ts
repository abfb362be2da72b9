import { asObject, asString, at, equal, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Violation } from '../status.ts';
import { qualifiedNameFaults } from './names.ts';

const LONGEST_NOTE = 1024;
const LONGEST_WORD = 128;

const required = (field: string): Violation => ({ field, type: 'FieldValueRequired', message: 'Required value' });
const wrong = (field: string, value: Json | undefined, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}`,
});

/**
 * What a stored event (core form) lacks, or must not change; events.k8s.io asks for more.
 *
 * Source: `pkg/apis/core/validation/events.go`.
 */
export function eventViolations(
  { group }: { readonly group: string },
  event: ApiObject,
  live: ApiObject | undefined,
): Violation[] {
  const isStrict = group === 'events.k8s.io';
  const violations = hasTime(event) ? timedViolations(event, isStrict) : untimedViolations(event);
  if (!isStrict) return violations;
  return [...violations, ...(live === undefined ? newViolations(event) : changeViolations(event, live))];
}

const hasTime = (event: ApiObject): boolean => asString(event['eventTime']) !== '';

const elsewhere = (namespace: string): Violation =>
  wrong('involvedObject.namespace', namespace, 'does not match event.namespace');

/** An event of the old kind stands beside its object. */
function untimedViolations(event: ApiObject): Violation[] {
  const namespace = asString(at(event, 'involvedObject', 'namespace'));
  const home = namespace === '' ? 'default' : namespace;
  return home === event.metadata.namespace ? [] : [elsewhere(namespace)];
}

function timedViolations(event: ApiObject, isStrict: boolean): Violation[] {
  const violations: Violation[] = [];
  const namespace = asString(at(event, 'involvedObject', 'namespace'));
  if (namespace === '' && !['default', 'kube-system'].includes(event.metadata.namespace ?? '')) {
    violations.push(elsewhere(namespace));
  }
  const controller = asString(event['reportingComponent']);
  const controllerField = isStrict ? 'reportingController' : 'reportingComponent';
  if (controller === '') violations.push(required(controllerField));
  violations.push(...qualifiedNameFaults(controller).map((why) => wrong(controllerField, controller, why)));
  for (const field of ['reportingInstance', 'action', 'reason']) {
    const value = asString(event[field]);
    if (value === '') violations.push(required(field));
    if (value.length > LONGEST_WORD) violations.push(wrong(field, '', `can have at most ${LONGEST_WORD} characters`));
  }
  if (asString(event['message']).length > LONGEST_NOTE) {
    violations.push(wrong('message', '', `can have at most ${LONGEST_NOTE} characters`));
  }
  return violations;
}

function seriesViolations(event: ApiObject): Violation[] {
  if (event['series'] === undefined) return [];
  const { count, lastObservedTime } = asObject(event['series']);
  const few = typeof count !== 'number' || count < 2;
  return [
    ...(few ? [wrong('series.count', '', 'should be at least 2')] : []),
    ...(asString(lastObservedTime) === '' ? [required('series.lastObservedTime')] : []),
  ];
}

function newViolations(event: ApiObject): Violation[] {
  const violations = seriesViolations(event);
  const type = asString(event['type']);
  if (!hasTime(event)) violations.push(required('eventTime'));
  if (!['Normal', 'Warning'].includes(type)) violations.push(wrong('type', '', `has invalid value: ${type}`));
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count']) {
    const value = event[field];
    if (value !== undefined && value !== null) violations.push(wrong(field, '', 'needs to be unset'));
  }
  if (Object.keys(asObject(event['source'])).length > 0) violations.push(wrong('source', '', 'needs to be unset'));
  return violations;
}

/** Only the series grows. */
const FROZEN = [
  ...['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type'],
  ...['eventTime', 'action', 'related'],
];

function changeViolations(event: ApiObject, live: ApiObject): Violation[] {
  const names = [
    ...FROZEN.map((name) => [name, name] as const),
    ['reportingComponent', 'reportingController'] as const,
  ];
  const changed = [...names, ['reportingInstance', 'reportingInstance'] as const].filter(
    ([name]) => !equal(event[name] ?? null, live[name] ?? null),
  );
  return [
    ...(equal(event['series'], live['series']) ? [] : seriesViolations(event)),
    ...changed.map(([name, field]) => wrong(field, event[name], 'field is immutable')),
  ];
}
