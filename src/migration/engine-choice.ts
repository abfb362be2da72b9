import type { ShardKey } from '../qdrant/index.ts';
import { type SegmentConfig, segmentDifferences } from './segment-config.ts';

export type EngineName = 'Scroll' | 'ShardSnapshot';
export type EngineWish = 'Auto' | 'DualWrite' | EngineName;

export type EngineEnd = {
  readonly config: SegmentConfig;
  /** Versions of Qdrant that its peers tell; none: nobody told. */
  readonly versions: readonly string[];
  /** Undefined while there is no such collection. */
  readonly shards?: readonly { readonly shard: number; readonly key?: ShardKey }[];
};

export type EngineSubject = {
  readonly source: EngineEnd;
  readonly target: EngineEnd;
  /** Why the target is no empty collection of ours; undefined: it is, or is still to be made. */
  readonly used: string | undefined;
  /** Why nobody knows whether there is room on disk for a shard twice; undefined: there is. */
  readonly room: string | undefined;
  readonly wish: EngineWish;
};

export type EngineChoice =
  | { readonly kind: 'chosen'; readonly engine: EngineName; readonly reason: string }
  /** What was asked for by name can't be done. */
  | { readonly kind: 'refused'; readonly reason: string };

/** How the bulk of the data travels, by what both ends allow; scrolling fits any layout and any version. */
export function chooseEngine(subject: EngineSubject): EngineChoice {
  const { wish, room } = subject;
  const scroll = (reason: string): EngineChoice => ({ kind: 'chosen', engine: 'Scroll', reason });
  switch (wish) {
    case 'Scroll':
      return scroll('it is asked for');
    case 'DualWrite':
      return { kind: 'refused', reason: 'writing to both sides (DualWrite) is not built' };
    case 'ShardSnapshot': {
      // Whoever asks for it by name answers for the room.
      const obstacles = againstSnapshots(subject);
      if (obstacles.length > 0) return { kind: 'refused', reason: obstacles.join('; ') };
      return { kind: 'chosen', engine: 'ShardSnapshot', reason: 'it is asked for, and both ends are equal' };
    }
    case 'Auto': {
      const obstacles = [...againstSnapshots(subject), ...(room === undefined ? [] : [room])];
      if (obstacles.length > 0) return scroll(obstacles.join('; '));
      const reason = 'layout, configuration and shards are equal, the target is not older, there is room';
      return { kind: 'chosen', engine: 'ShardSnapshot', reason };
    }
  }
}

function againstSnapshots({ source, target, used }: EngineSubject): string[] {
  return [
    ...(used === undefined ? [] : [used]),
    ...segmentDifferences(source.config, target.config),
    ...againstShards(source, target),
    ...againstVersions(source.versions, target.versions),
  ];
}

/** Ids say where Qdrant looks for a point, so they must be the same, and belong to the same keys. */
function againstShards({ shards: from }: EngineEnd, { shards: to }: EngineEnd): string[] {
  if (from === undefined || to === undefined) return [];
  const names = (shards: typeof from): string =>
    shards
      .toSorted((a, b) => a.shard - b.shard)
      .map(({ shard, key }) => (key === undefined ? String(shard) : `${shard} of key ${JSON.stringify(key)}`))
      .join(', ');
  return names(from) === names(to) ? [] : [`shards: ${names(from)} -> ${names(to)}`];
}

type Version = readonly [major: number, minor: number, patch: number];

/**
 * Segments carry the version of their format. Of a newer one Qdrant 1.18 says so only after it has put the shard's own
 * data away, and the shard is lost (measured). It reads older ones; by its documentation those of one minor version before.
 */
function againstVersions(from: readonly string[], to: readonly string[]): string[] {
  const unreadable = [...from, ...to].filter((text) => parse(text) === undefined);
  if (unreadable.length > 0) return [`"${unreadable[0]?.slice(0, 40)}" is no version of Qdrant`];
  const newest = extreme(from, 1);
  const oldest = extreme(to, -1);
  if (newest === undefined || oldest === undefined) return ['not every peer tells its version of Qdrant'];
  if (compare(oldest, newest) < 0)
    return [`the target runs Qdrant ${oldest.join('.')}, the source ${newest.join('.')}`];
  // By the newest target and the oldest source.
  const [major, minor] = extreme(to, 1) ?? oldest;
  const [fromMajor, fromMinor] = extreme(from, -1) ?? newest;
  return major === fromMajor && minor - fromMinor <= 1
    ? []
    : [`the target's Qdrant ${major}.${minor} is more than one minor version ahead of ${fromMajor}.${fromMinor}`];
}

function parse(text: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)(?:$|[-+])/.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

const compare = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

const extreme = (texts: readonly string[], sign: 1 | -1): Version | undefined =>
  texts
    .flatMap((text) => {
      const version = parse(text);
      return version === undefined ? [] : [version];
    })
    .toSorted((a, b) => sign * compare(b, a))[0];
