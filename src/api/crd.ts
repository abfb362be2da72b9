import { dump } from 'js-yaml';
import { KINDS } from './kinds.ts';
import type { KindDescriptor } from './object.ts';

/** The CustomResourceDefinition of a kind, as it is written to `crds/`. */
export function customResourceDefinition(descriptor: KindDescriptor): Record<string, unknown> {
  const { group, version, kind, plural, singular, listKind, shortNames, categories, columns, scale, schema } =
    descriptor;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'qdrant-librarian' } },
    spec: {
      group,
      names: { kind, listKind, plural, singular, shortNames: [...shortNames], categories: [...categories] },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}

export const crdYaml = (descriptor: KindDescriptor): string =>
  dump(customResourceDefinition(descriptor), { noRefs: true, lineWidth: 120 });

/** All four definitions as one YAML stream: what `qdrant-librarian crds` prints. */
export const crdManifests = (): string => KINDS.map((descriptor) => `---\n${crdYaml(descriptor)}`).join('');
