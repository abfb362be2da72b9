export { canonicalJson } from './canonical-json.ts';
export {
  addHash,
  combineDigests,
  type Digest,
  digestOf,
  EMPTY_DIGEST,
  formatDigest,
  parseDigest,
  sameDigest,
} from './digest.ts';
export { type HashedPoint, pointHash } from './point-hash.ts';
