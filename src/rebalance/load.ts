/** What is balanced, in the order in which it is shown. */
export const DIMENSIONS = ['requests', 'busy', 'memory', 'disk', 'points'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** `requests` a second; `busy`: seconds of work a second; `memory` and `disk` in bytes; `points`: how many. */
export type Load = Readonly<Record<Dimension, number>>;

/** What a cluster has, over all its peers. */
export type Capacity = { readonly cores: number; readonly memoryBytes: number; readonly diskBytes: number };

export const NO_LOAD: Load = { requests: 0, busy: 0, memory: 0, disk: 0, points: 0 };

export const mapLoad = (value: (dimension: Dimension) => number): Load => ({
  requests: value('requests'),
  busy: value('busy'),
  memory: value('memory'),
  disk: value('disk'),
  points: value('points'),
});

export const addLoads = (loads: readonly Load[]): Load =>
  mapLoad((dimension) => loads.reduce((sum, load) => sum + load[dimension], 0));

/** By what a load is divided so that clusters of different size compare. Points have no limit of their own: they go with memory. */
export const capacityOf = ({ cores, memoryBytes, diskBytes }: Capacity): Load => ({
  requests: cores,
  busy: cores,
  memory: memoryBytes,
  disk: diskBytes,
  points: memoryBytes,
});
