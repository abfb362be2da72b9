import type { DomainLibrary, SnapshotDestination } from '../../api/index.ts';
import type { BucketPlace, Manifest } from './manifest.ts';

const REGION = 'us-east-1';

export const destinationOf = ({ spec }: DomainLibrary): SnapshotDestination => spec.snapshots?.destination ?? {};

/** The bucket of a destination; undefined: local. Its prefix ends with a slash, or is empty. */
export function placeOf({ s3 }: SnapshotDestination): BucketPlace | undefined {
  if (s3 === undefined) return undefined;
  const { bucket, prefix = '', endpoint, region = REGION } = s3;
  return {
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** Whether what is dropped there is what the manifest means. */
export const samePlace = (place: BucketPlace | undefined, manifest: Manifest): boolean =>
  place?.bucket === manifest.bucket?.bucket &&
  place?.prefix === manifest.bucket?.prefix &&
  place?.endpoint === manifest.bucket?.endpoint;
