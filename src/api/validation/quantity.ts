import { ApiError } from '../error.ts';

const NANO = 10n ** 9n;
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/;
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
/** Beyond this an exponent can't be a real amount; it would only cost memory. */
const MAX_EXPONENT = 64;

/** Rounds away from zero, as Kubernetes does below one billionth. */
function divideUp(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return quotient * denominator === numerator ? quotient : quotient + 1n;
}

/**
 * The amount of a Kubernetes quantity, in billionths.
 * Source: k8s.io/apimachinery `resource.Quantity`.
 *
 * @throws ApiError InvalidQuantity
 */
export function parseQuantity(text: string): bigint {
  const match = FORM.exec(text);
  const [, sign = '', whole = '', fraction = '', binary, decimal, exponent] = match ?? [];
  if (match === null || whole + fraction === '') throw new ApiError('InvalidQuantity', `${text} is not a quantity`);
  const power = exponent === undefined ? (decimal === undefined ? 0 : (DECIMAL[decimal] ?? 0)) : Number(exponent);
  if (Math.abs(power) > MAX_EXPONENT) throw new ApiError('InvalidQuantity', `${text} is too large or too small`);
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary) + 1);
  const raise = power > 0 ? 10n ** BigInt(power) : 1n;
  const lower = 10n ** BigInt(fraction.length) * (power < 0 ? 10n ** BigInt(-power) : 1n);
  const amount = divideUp(BigInt(whole + fraction) * factor * raise * NANO, lower);
  return sign === '-' ? -amount : amount;
}

export function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

/** Billionths to whole units: what `asInteger` gives. */
export const wholeUnits = (amount: bigint): bigint | undefined => (amount % NANO === 0n ? amount / NANO : undefined);

/** Billionths to a float: what `asApproximateFloat` gives. */
export const approximate = (amount: bigint): number => Number(amount) / 1e9;

export const fromWhole = (units: bigint): bigint => units * NANO;
