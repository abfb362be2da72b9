import { asArray, at, isObject, type Json, type JsonObject, textOf } from '../json.ts';
import type { Violation } from '../status.ts';
import type { Resource } from '../types/resource.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const bad = (field: string, value: string, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

type NameRule = { readonly form: RegExp; readonly text: string; readonly longest: number };
const RULES: { readonly [storedAs: string]: NameRule } = {
  '/services': { form: LABEL_1035, text: LABEL_1035_TEXT, longest: 63 },
  '/namespaces': { form: LABEL, text: LABEL_TEXT, longest: 63 },
};
const USUAL: NameRule = { form: SUBDOMAIN, text: SUBDOMAIN_TEXT, longest: 253 };
const PATH_SEGMENT: NameRule = { form: /^(?!\.{1,2}$)[^/%]+$/, text: "may not contain '/'", longest: 253 };

function nameViolations(resource: Resource, name: string): Violation[] {
  const rule = RULES[resource.storedAs] ?? (resource.group === 'rbac.authorization.k8s.io' ? PATH_SEGMENT : USUAL);
  if (name === '') {
    return [
      {
        field: 'metadata.name',
        type: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
      },
    ];
  }
  if (name.length > rule.longest)
    return [bad('metadata.name', name, `must be no more than ${rule.longest} characters`)];
  return rule.form.test(name) ? [] : [bad('metadata.name', name, rule.text)];
}

export function labelViolations(labels: Json | undefined, field = 'metadata.labels'): Violation[] {
  return Object.entries(isObject(labels) ? labels : {}).flatMap(([key, value]) => {
    const text = typeof value === 'string' ? value : '';
    const violations = keyViolations(key, field);
    if (text.length > 63) violations.push(bad(field, text, 'must be no more than 63 characters'));
    if (text !== '' && !QUALIFIED.test(text)) violations.push(bad(field, text, LABEL_VALUE_TEXT));
    return violations;
  });
}

/** What a name with an optional prefix breaks. Source: apimachinery `validation.IsQualifiedName`. */
export function qualifiedNameFaults(text: string): string[] {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  return [
    ...(slash >= 0 && !SUBDOMAIN.test(text.slice(0, slash)) ? [`prefix part ${SUBDOMAIN_TEXT}`] : []),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > 63 ? ['name part must be no more than 63 characters'] : []),
    ...(QUALIFIED.test(name) ? [] : [QUALIFIED_TEXT]),
  ];
}

function keyViolations(key: string, field: string): Violation[] {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  if (slash >= 0 && !SUBDOMAIN.test(key.slice(0, slash))) return [bad(field, key, `prefix part ${SUBDOMAIN_TEXT}`)];
  if (name.length > 63) return [bad(field, key, 'name part must be no more than 63 characters')];
  return QUALIFIED.test(name) ? [] : [bad(field, key, QUALIFIED_TEXT)];
}

function ownerViolations(references: Json | undefined): Violation[] {
  const field = 'metadata.ownerReferences';
  const owners = asArray(references);
  const violations = owners.flatMap((owner) =>
    ['apiVersion', 'kind', 'name', 'uid'].flatMap((name) =>
      textOf(at(owner, name)) === '' ? [bad(`${field}.${name}`, '', 'must not be empty')] : [],
    ),
  );
  const controllers = owners.filter((owner) => at(owner, 'controller') === true);
  if (controllers.length < 2) return violations;
  const names = controllers.map((owner) => `${textOf(at(owner, 'kind'))}/${textOf(at(owner, 'name'))}`);
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${names.join(' and ')}`;
  return [
    ...violations,
    { field, type: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(owners)}: ${why}` },
  ];
}

const TOTAL_ANNOTATION_BYTES = 256 * 1024;

export function metadataViolations(resource: Resource, metadata: JsonObject): Violation[] {
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : '';
  const annotations = Object.entries(isObject(metadata['annotations']) ? metadata['annotations'] : {});
  const violations = [...nameViolations(resource, name), ...labelViolations(metadata['labels'])];
  violations.push(...ownerViolations(metadata['ownerReferences']));
  for (const [key] of annotations) violations.push(...keyViolations(key.toLowerCase(), 'metadata.annotations'));
  const size = annotations.reduce((sum, [key, value]) => sum + key.length + textOf(value).length, 0);
  if (size > TOTAL_ANNOTATION_BYTES) {
    violations.push({
      field: 'metadata.annotations',
      type: 'FieldValueTooLong',
      message: `Too long: may not be more than ${TOTAL_ANNOTATION_BYTES} bytes`,
    });
  }
  return violations;
}
