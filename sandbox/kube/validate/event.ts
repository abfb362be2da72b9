import { asString, at, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Violation } from '../status.ts';

const LONGEST_NOTE = 1024;
const LONGEST_WORD = 128;

const required = (field: string): Violation => ({ field, type: 'FieldValueRequired', message: 'Required value' });
const wrong = (field: string, value: Json | undefined, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? '')}: ${why}`,
});

/** The namespace in which events about an object belong. */
const homeOf = (namespace: string): string => (namespace === '' ? 'default' : namespace);

/**
 * What a stored event (core form) lacks. Events of events.k8s.io have an eventTime and then need more.
 *
 * Source: `pkg/apis/core/validation/events.go`.
 */
export function eventViolations(event: ApiObject): Violation[] {
  const namespace = asString(at(event, 'involvedObject', 'namespace'));
  const violations: Violation[] = [];
  if (homeOf(namespace) !== event.metadata.namespace) {
    violations.push(wrong('involvedObject.namespace', namespace, 'does not match event.namespace'));
  }
  if (event['eventTime'] === undefined) return violations;
  for (const field of ['reportingComponent', 'reportingInstance', 'action', 'reason']) {
    const value = asString(event[field]);
    const name = field === 'reportingComponent' ? 'reportingController' : field;
    if (value === '') violations.push(required(name));
    else if (value.length > LONGEST_WORD)
      violations.push(wrong(name, value, `can have at most ${LONGEST_WORD} characters`));
  }
  if (asString(event['message']).length > LONGEST_NOTE) {
    violations.push(wrong('note', '', `can have at most ${LONGEST_NOTE} characters`));
  }
  if (!['Normal', 'Warning'].includes(asString(event['type'])))
    violations.push(wrong('type', event['type'], 'has invalid value'));
  return violations;
}
