import { dump } from 'js-yaml';
import { crdYaml, KINDS } from '../../src/api/index.ts';
import { accessFiles } from './access.ts';
import { reasonsPage } from './reasons.ts';
import { apiReference } from './reference.ts';

const NOTE = '# Generated from src/api by `npm run generate`. Do not edit.\n';

const kustomization = (names: readonly string[]): string =>
  NOTE + dump({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: names });

/** Everything that is generated: path from the root of the repository -> text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const definitions = KINDS.map((descriptor) => [`${descriptor.plural}.yaml`, NOTE + crdYaml(descriptor)] as const);
  return new Map([
    ...definitions.map(([name, text]) => [`crds/${name}`, text] as const),
    ['crds/kustomization.yaml', kustomization(definitions.map(([name]) => name))] as const,
    ...definitions.map(([name, text]) => [`charts/qdrant-librarian/crds/${name}`, text] as const),
    ['docs/api-reference.md', apiReference()] as const,
    ['docs/reasons.md', reasonsPage()] as const,
    ...accessFiles(),
  ]);
}
