export { ByteWriter } from './byte-writer.ts';
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
export { DISTANCES, type Distance, similarity } from './distance.ts';
export { type Clustering, type KMeansOptions, kMeans } from './k-means.ts';
export { bound, type Match, match, score } from './match.ts';
export { dot, type Matrix, matrixOf, norm, pick, rowOf, scaleToUnit, unit, zeros } from './matrix.ts';
export { type Nearest, nearest } from './nearest.ts';
export { type NeighbourOptions, neighbours } from './neighbours.ts';
export { HASH_TAGS, type HashedPoint, hashOf, pointHash } from './point-hash.ts';
export { type StabilityOptions, silhouette, stability } from './quality.ts';
export { randIndex } from './rand-index.ts';
export { drawn, randomNumbers } from './random.ts';
export { type Ceiling, ranked, routingCeiling } from './routing.ts';
export { isComplete, MAX_CELLS, type Sketch, type SketchOptions, sketchOf, widened } from './sketch.ts';
export { cellsWithin, decodeSketch, encodeSketch, MAX_SKETCH_BYTES, sketchBytes } from './sketch-codec.ts';
