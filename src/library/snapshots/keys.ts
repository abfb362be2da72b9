import type { SnapshotConfig } from './task-config.ts';

/** Where things lie in a bucket. Everything of a library is under one prefix; nothing outside of it is ever touched. */

type Owner = Pick<SnapshotConfig['library'], 'namespace' | 'name'>;

export const libraryPrefix = (prefix: string, { namespace, name }: Owner): string => `${prefix}${namespace}/${name}/`;

export const manifestKey = (base: string, snapshot: string): string => `${base}${snapshot}/manifest.json`;

/** Parts of one worker's attempt: another attempt, or another library of the same name, has other ones. */
export const partsPrefix = (base: string, { snapshot, run }: { snapshot: string; run: string }): string =>
  `${base}${snapshot}/${run}/`;

export const partKey = (parts: string, shard: number): string => `${parts}shard-${shard}.snapshot`;

/** `<library>-20260131t235959z`: valid as a name of an object in Kubernetes, and in the order of time. */
export const snapshotName = (library: string, at: number): string =>
  `${library}-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()}z`;

const NAME = /-\d{8}t\d{6}z$/;

/** Whether a name is one that `snapshotName` gives for the library. */
export const isSnapshotName = (library: string, name: string): boolean =>
  name.startsWith(`${library}-`) && NAME.test(name) && name.length === library.length + 17;
