const FORM = /^([+-]?)(\d+)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|)$/;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const NANO = 1_000_000_000n;

/**
 * A quantity as the API server writes it back: `1024Mi` as `1Gi`, `0.5` as `500m`.
 *
 * @returns undefined when the text is no quantity
 * Source: apimachinery `api/resource/quantity.go`, CanonicalizeBytes.
 */
export function canonicalQuantity(text: string): string | undefined {
  if (/^[+-]?\d+(\.\d*)?[eE][+-]?\d+$/.test(text)) return text.replace('E', 'e');
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  const binary = suffix.endsWith('i');
  const multiplier = binary
    ? 1024n ** BigInt(BINARY.indexOf(suffix)) * NANO
    : 10n ** BigInt(DECIMAL.indexOf(suffix) * 3);
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * multiplier;
  // Fractions of a nano round up.
  const nanos = product / scale + (product % scale === 0n ? 0n : 1n);
  const digits = binary && nanos >= 1024n * NANO && nanos % NANO === 0n ? inBinary(nanos / NANO) : inDecimal(nanos);
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

function inBinary(value: bigint): string {
  let rest = value;
  let step = 0;
  while (rest % 1024n === 0n && step < BINARY.length - 1) {
    rest /= 1024n;
    step += 1;
  }
  return `${rest}${BINARY[step]}`;
}

function inDecimal(nanos: bigint): string {
  if (nanos === 0n) return '0';
  let rest = nanos;
  let step = 0;
  while (rest % 1000n === 0n && step < DECIMAL.length - 1) {
    rest /= 1000n;
    step += 1;
  }
  return `${rest}${DECIMAL[step]}`;
}
