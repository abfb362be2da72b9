import { type HashedPoint, pointHash } from './point-hash.ts';

/**
 * A set of points in 128 bits and a count, whatever order they were read in.
 *
 * The sum of the points' hashes modulo 2^128: sums of disjoint sets add up, and unlike XOR two equal points don't cancel.
 */
export type Digest = { readonly count: number; readonly sum: bigint };

export const EMPTY_DIGEST: Digest = { count: 0, sum: 0n };

const BITS = 128;
const TEXT = /^(\d{1,16})-([0-9a-f]{32})$/;

export const addHash = (digest: Digest, hash: bigint): Digest => ({
  count: digest.count + 1,
  sum: BigInt.asUintN(BITS, digest.sum + hash),
});

/** The digest of two disjoint sets together. */
export const combineDigests = (a: Digest, b: Digest): Digest => ({
  count: a.count + b.count,
  sum: BigInt.asUintN(BITS, a.sum + b.sum),
});

export function digestOf(points: Iterable<HashedPoint>): Digest {
  let digest = EMPTY_DIGEST;
  for (const point of points) digest = addHash(digest, pointHash(point));
  return digest;
}

export const sameDigest = (a: Digest, b: Digest): boolean => a.count === b.count && a.sum === b.sum;

/** `<count>-<32 hex digits>`, as it stands in a status or a ConfigMap. */
export const formatDigest = ({ count, sum }: Digest): string => `${count}-${sum.toString(16).padStart(32, '0')}`;

/** @returns undefined for a text that is no digest */
export function parseDigest(text: string): Digest | undefined {
  const match = TEXT.exec(text);
  return match === null ? undefined : { count: Number(match[1]), sum: BigInt(`0x${match[2]}`) };
}
