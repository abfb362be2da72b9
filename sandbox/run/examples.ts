import { join, resolve } from 'node:path';
import type { KubeObject } from '../../src/kube/index.ts';
import { readObjects } from '../install.ts';
import { NAMESPACE } from './stage.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Objects of manifests/examples, put into the story's namespace. */
export async function examples(...files: readonly string[]): Promise<KubeObject[]> {
  const objects = await Promise.all(files.map((file) => readObjects(join(ROOT, 'manifests/examples', file))));
  return objects.flat().map((object) => ({ ...object, metadata: { ...object.metadata, namespace: NAMESPACE } }));
}
