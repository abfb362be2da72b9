export {
  API_KEY_FILE,
  CA_FILE,
  KEY_DIRECTORIES,
  parseConfig,
  type SideConfig,
  sideSchema,
  type WorkerConfig,
} from './config.ts';
export { connectSide, readKey } from './connect.ts';
export { type CopyEngine, SCROLL_ENGINE } from './copy.ts';
export { chooseEngine, type EngineChoice, type EngineName, type EngineWish } from './engine-choice.ts';
export {
  CLOSE_PATCH,
  FENCE_HOLDS_SECONDS,
  type Fence,
  fencePatch,
  MARK_KEY,
  type Mark,
  parseMark,
  unfencePatch,
} from './fence.ts';
export { heldStream } from './held-stream.ts';
export {
  continued,
  type Held,
  type Holder,
  Keeper,
  type KeeperOptions,
  ProgressConflict,
  type ProgressStore,
  type Timing,
} from './keeper.ts';
export { layoutOf, type PlacedShard, type ShardLayout } from './placed-shards.ts';
export {
  type BaseProgress,
  type GivenUp,
  type Leak,
  PROGRESS_KEY,
  type Progress,
  parseProgress,
  type Verification,
} from './progress.ts';
export { configMapProgress, type ProgressForm } from './progress-store.ts';
export { IDENTITY, type Projection, type VectorRule } from './projection.ts';
export { qdrantSide, sideState } from './qdrant-side.ts';
export type { ReverseConfig } from './reverse-config.ts';
export { parseReverseProgress, type ReverseProgress, type ReverseResult } from './reverse-progress.ts';
export { type SegmentConfig, segmentConfig } from './segment-config.ts';
export { DamagedSnapshot, isShardFile, makeShardFile, type ShardScope } from './shard-file.ts';
export { aliasedEverywhere, commonFence, type PeerState, queued, type SideState, unreadable } from './side.ts';
export { inWorkerFrame, type WorkerFrame, type WorkerOptions } from './worker-frame.ts';
export { ConfigError, checkedConfig, configValue, parseKept } from './worker-json.ts';
