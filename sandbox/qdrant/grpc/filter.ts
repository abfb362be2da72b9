import type { ScrollPoints } from '@qdrant/js-client-grpc';
import { EngineError } from '../base/errors.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { fromWireId } from './convert.ts';

// The package has two message types named Filter; this is the one that requests carry.
type Filter = NonNullable<ScrollPoints['filter']>;
type Condition = Filter['must'][number];
type FieldCondition = Extract<Condition['conditionOneOf'], { case: 'field' }>['value'];
type Match = NonNullable<FieldCondition['match']>;

/** A filter message as the REST filter of the same meaning. */
export function fromWireFilter(filter: Filter | undefined): JsonObject | undefined {
  if (filter === undefined) return undefined;
  const { must, mustNot, should, minShould } = filter;
  return {
    ...(must.length > 0 ? { must: must.map(condition) } : {}),
    ...(mustNot.length > 0 ? { must_not: mustNot.map(condition) } : {}),
    ...(should.length > 0 ? { should: should.map(condition) } : {}),
    ...(minShould
      ? { min_should: { conditions: minShould.conditions.map(condition), min_count: Number(minShould.minCount) } }
      : {}),
  };
}

function condition({ conditionOneOf: one }: Condition): JsonObject {
  switch (one.case) {
    case 'field':
      return fieldCondition(one.value);
    case 'hasId':
      return { has_id: one.value.hasId.map(fromWireId) };
    case 'filter':
      return fromWireFilter(one.value) ?? {};
    case 'isEmpty':
      return { is_empty: { key: one.value.key } };
    case 'isNull':
      return { is_null: { key: one.value.key } };
    case 'nested':
      return { nested: { key: one.value.key, filter: fromWireFilter(one.value.filter) ?? {} } };
    case 'hasVector':
      return { has_vector: one.value.hasVector };
    case 'slice':
    case undefined:
      throw new EngineError('NotBuilt', `gRPC condition ${one.case ?? 'without content'}`);
  }
}

function fieldCondition(field: FieldCondition): JsonObject {
  const { key, match, range, valuesCount } = field;
  if (match) return { key, match: matchOf(match) };
  if (range) return { key, range: bounds(range) };
  if (valuesCount) return { key, values_count: bounds(valuesCount) };
  if (field.isEmpty) return { is_empty: { key } };
  if (field.isNull) return { is_null: { key } };
  throw new EngineError('NotBuilt', 'this gRPC field condition');
}

function bounds(range: { lt?: unknown; gt?: unknown; lte?: unknown; gte?: unknown }): JsonObject {
  const given = Object.entries({ lt: range.lt, gt: range.gt, lte: range.lte, gte: range.gte });
  return Object.fromEntries(given.flatMap(([name, bound]) => (bound === undefined ? [] : [[name, Number(bound)]])));
}

const integers = (values: readonly bigint[]): Json[] => values.map(Number);

function matchOf({ matchValue: match }: Match): JsonObject {
  switch (match.case) {
    case 'keyword':
    case 'boolean':
      return { value: match.value };
    case 'integer':
      return { value: Number(match.value) };
    case 'text':
      return { text: match.value };
    case 'phrase':
      return { phrase: match.value };
    case 'keywords':
      return { any: match.value.strings };
    case 'integers':
      return { any: integers(match.value.integers) };
    case 'exceptKeywords':
      return { except: match.value.strings };
    case 'exceptIntegers':
      return { except: integers(match.value.integers) };
    case 'textAny':
    case 'prefix':
    case undefined:
      throw new EngineError('NotBuilt', `gRPC match ${match.case ?? 'without content'}`);
  }
}
