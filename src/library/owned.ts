import type { DomainLibrary } from '../api/index.ts';
import { type KubeObject, ownerReference } from '../kube/index.ts';
import { libraryLabels } from './names.ts';

/** Metadata of an object that goes with its library. */
export function owned(
  library: DomainLibrary,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Pick<KubeObject, 'metadata'> {
  const { namespace } = library.metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...libraryLabels(library.metadata.name), ...labels },
      ownerReferences: [ownerReference(library)],
    },
  };
}
