import { type CelInput, type CelResult, isCelError, parse, plan } from '@bufbuild/cel';
import { ApiError } from '../error.ts';
import type { CelRule, StructuralSchema } from '../schema/types.ts';
import { CEL_ENVIRONMENT } from './cel-environment.ts';
import { toCelInput } from './cel-value.ts';
import { fieldPath, isRecord, itemPath, keyPath, own, sameJson } from './json.ts';

export type RuleViolation = {
  /** Path like `spec.shards`; '' is the object itself. */
  readonly field: string;
  readonly message: string;
  /** Why, for a Status cause; FieldValueInvalid where the rule names none. */
  readonly reason: string;
  /** The rule that was broken. */
  readonly rule: string;
  /** What the rule was asked about. */
  readonly self: unknown;
};

type Program = (bindings: Record<string, CelInput>) => CelResult;
type Node = {
  readonly schema: StructuralSchema;
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
};

const programs = new Map<string, Program>();
const MENTIONS_OLD = /\boldSelf\b/;

/** @throws ApiError InvalidRule where the text is not CEL */
function compile(text: string): Program {
  const known = programs.get(text);
  if (known !== undefined) return known;
  try {
    const program: Program = plan(CEL_ENVIRONMENT, parse(text));
    programs.set(text, program);
    return program;
  } catch (error) {
    throw new ApiError('InvalidRule', `not a CEL expression: ${text}`, { cause: error });
  }
}

function messageOf(rule: CelRule, bindings: Record<string, CelInput>): string {
  if (rule.messageExpression !== undefined) {
    const text = compile(rule.messageExpression)(bindings);
    if (typeof text === 'string' && text.trim() !== '') return text;
  }
  return rule.message ?? `failed rule: ${rule.rule}`;
}

function checkRule(node: Node, rule: CelRule): RuleViolation[] {
  const { schema, path, value, old } = node;
  const isTransition = MENTIONS_OLD.test(rule.rule);
  if (isTransition && old === undefined && rule.optionalOldSelf !== true) return [];
  // Ratcheting: what was there before a rule was added stays writable.
  if (!isTransition && old !== undefined && sameJson(value, old)) return [];
  const bindings: Record<string, CelInput> = { self: toCelInput(schema, value) };
  if (old !== undefined) bindings['oldSelf'] = toCelInput(schema, old);
  const result = compile(rule.rule)(bindings);
  if (result === true) return [];
  return [
    {
      field: rule.fieldPath === undefined ? path : fieldPath(path, rule.fieldPath.replace(/^\./, '')),
      message: isCelError(result) ? `rule ${rule.rule} failed: ${result.message}` : messageOf(rule, bindings),
      reason: rule.reason ?? 'FieldValueInvalid',
      rule: rule.rule,
      self: value,
    },
  ];
}

/** The old item that an item of a list came from: only lists that are maps know. */
function oldItem(schema: StructuralSchema, item: unknown, old: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || keys === undefined) return undefined;
  if (!Array.isArray(old) || !isRecord(item)) return undefined;
  return old.find((candidate: unknown) => isRecord(candidate) && keys.every((key) => candidate[key] === item[key]));
}

function children({ schema, path, value, old }: Node): Node[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.map((item: unknown, index) => ({
      schema: items,
      path: itemPath(path, index),
      value: item,
      old: oldItem(schema, item, old),
    }));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, field]): Node[] => {
    const before = isRecord(old) ? own(old, name) : undefined;
    const known = own(schema.properties, name);
    if (known !== undefined) return [{ schema: known, path: fieldPath(path, name), value: field, old: before }];
    const { additionalProperties: values } = schema;
    return typeof values === 'object' ? [{ schema: values, path: keyPath(path, name), value: field, old: before }] : [];
  });
}

function check(node: Node): RuleViolation[] {
  if (node.value === undefined || node.value === null) return [];
  const rules = node.schema['x-kubernetes-validations'] ?? [];
  return [...rules.flatMap((rule) => checkRule(node, rule)), ...children(node).flatMap(check)];
}

/** At the root CEL sees names only, as in Kubernetes. Source: k8s.io/apiserver `pkg/cel/common/schemas.go`. */
function withMetadata(schema: StructuralSchema, object: unknown): StructuralSchema {
  if (!isRecord(object) || !isRecord(object['metadata'])) return schema;
  const text: StructuralSchema = { type: 'string' };
  const metadata: StructuralSchema = { type: 'object', properties: { name: text, generateName: text } };
  return { ...schema, properties: { ...schema.properties, apiVersion: text, kind: text, metadata } };
}

/**
 * Evaluates every `x-kubernetes-validations` rule of a structural schema, ours or any other.
 * The object must already fit the schema and bear its defaults, as on the API server.
 *
 * @param old the stored object on an update; rules about `oldSelf` are skipped without it
 * @throws ApiError InvalidRule where a rule is not CEL
 * Source: kubernetes.io/docs, "Validation rules" of custom resources.
 */
export function evaluateRules(schema: StructuralSchema, object: unknown, old?: unknown): RuleViolation[] {
  return check({ schema: withMetadata(schema, object), path: '', value: object, old: old ?? undefined });
}
