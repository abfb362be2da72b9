import {
  type CelEnv,
  type CelFunc,
  type CelList,
  type CelMap,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMap,
  celMethod,
  listType,
  mapType,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { approximate, fromWhole, isQuantity, parseQuantity, wholeUnits } from './quantity.ts';

/**
 * The functions that Kubernetes adds to CEL, as far as rules of CRDs commonly use them: quantities, lists, regular
 * expressions, URLs. Others (ip, cidr, semver, optional types) are refused as unknown, never guessed.
 * Source: kubernetes.io/docs/reference/using-api/cel, "Kubernetes CEL libraries".
 */

const { BOOL, DOUBLE, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);
const AMOUNT = 'quantity, in billionths';
/** A quantity inside CEL: a map of one entry, so that `==` compares amounts. */
const QUANTITY = mapType(STRING, DYN);

const wrap = (amount: bigint): CelMap => celMap(new Map([[AMOUNT, amount]]));

function amountOf(value: CelMap): bigint {
  const amount = value.get(AMOUNT);
  if (typeof amount !== 'bigint') throw new Error('not a quantity');
  return amount;
}

const compare = (a: bigint | number | string, b: bigint | number | string): bigint => (a < b ? -1n : a > b ? 1n : 0n);

const quantities: readonly CelFunc[] = [
  celFunc('quantity', [STRING], QUANTITY, (text) => wrap(parseQuantity(text))),
  celFunc('isQuantity', [STRING], BOOL, isQuantity),
  celMethod('compareTo', QUANTITY, [QUANTITY], INT, function (other) {
    return compare(amountOf(this), amountOf(other));
  }),
  celMethod('isGreaterThan', QUANTITY, [QUANTITY], BOOL, function (other) {
    return amountOf(this) > amountOf(other);
  }),
  celMethod('isLessThan', QUANTITY, [QUANTITY], BOOL, function (other) {
    return amountOf(this) < amountOf(other);
  }),
  celMethod('sign', QUANTITY, [], INT, function () {
    return compare(amountOf(this), 0n);
  }),
  celMethod('isInteger', QUANTITY, [], BOOL, function () {
    return wholeUnits(amountOf(this)) !== undefined;
  }),
  celMethod('asInteger', QUANTITY, [], INT, function () {
    const units = wholeUnits(amountOf(this));
    if (units === undefined) throw new Error('cannot convert value to integer');
    return units;
  }),
  celMethod('asApproximateFloat', QUANTITY, [], DOUBLE, function () {
    return approximate(amountOf(this));
  }),
  celMethod('add', QUANTITY, [QUANTITY], QUANTITY, function (other) {
    return wrap(amountOf(this) + amountOf(other));
  }),
  celMethod('add', QUANTITY, [INT], QUANTITY, function (units) {
    return wrap(amountOf(this) + fromWhole(units));
  }),
  celMethod('sub', QUANTITY, [QUANTITY], QUANTITY, function (other) {
    return wrap(amountOf(this) - amountOf(other));
  }),
  celMethod('sub', QUANTITY, [INT], QUANTITY, function (units) {
    return wrap(amountOf(this) - fromWhole(units));
  }),
];

type Ordered = bigint | number | string;

function ordered(values: CelList): Ordered[] {
  return [...values].map((value: CelValue) => {
    if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'string') return value;
    throw new Error('items can not be compared');
  });
}

function extreme(values: CelList, sign: bigint): Ordered {
  const [first, ...rest] = ordered(values);
  if (first === undefined) throw new Error('min or max called on an empty list');
  return rest.reduce((best, value) => (compare(value, best) === sign ? value : best), first);
}

const lists: readonly CelFunc[] = [
  celMethod('isSorted', LIST, [], BOOL, function () {
    const values = ordered(this);
    return values.every((value, index) => index === 0 || compare(values[index - 1] ?? value, value) <= 0n);
  }),
  celMethod('min', LIST, [], DYN, function () {
    return extreme(this, -1n);
  }),
  celMethod('max', LIST, [], DYN, function () {
    return extreme(this, 1n);
  }),
  celMethod('sum', LIST, [], DYN, function () {
    const values = ordered(this);
    if (values.every((value) => typeof value === 'bigint')) return values.reduce((total, value) => total + value, 0n);
    if (values.every((value) => typeof value === 'number')) return values.reduce((total, value) => total + value, 0);
    throw new Error('items can not be added');
  }),
];

const regularExpressions: readonly CelFunc[] = [
  celMethod('find', STRING, [STRING], STRING, function (pattern) {
    return new RegExp(pattern).exec(this.toString())?.[0] ?? '';
  }),
  celMethod('findAll', STRING, [STRING], listType(STRING), function (pattern) {
    return [...this.toString().matchAll(new RegExp(pattern, 'g'))].map(([found]) => found);
  }),
];

const addresses: readonly CelFunc[] = [celFunc('isURL', [STRING], BOOL, (text) => URL.canParse(text))];

/** The environment in which rules of CRDs are evaluated. */
export const CEL_ENVIRONMENT: CelEnv = celEnv({
  funcs: [...strings, ...quantities, ...lists, ...regularExpressions, ...addresses],
});
