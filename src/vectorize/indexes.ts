import type { DomainLibrary, VectorizationJob } from '../api/index.ts';
import { byOwner, type Informer, type KubeObject, keyText } from '../kube/index.ts';
import { namedSecrets, neededObjects } from './references.ts';

/** What concerns one object among thousands, found by an index of the caches. */

type Cache<T extends KubeObject> = Pick<Informer<T>, 'store'>;

const inNamespace = ({ metadata }: KubeObject, name: string): string =>
  keyText({ namespace: metadata.namespace ?? '', name });

const byLibrary = (job: VectorizationJob): string[] => [inNamespace(job, job.spec.target.libraryRef.name)];
const bySecret = (job: VectorizationJob): string[] => namedSecrets(job).map((name) => inNamespace(job, name));
const byObject = (job: VectorizationJob): string[] =>
  neededObjects(job).map(({ kind, name }) => `${kind}/${inNamespace(job, name)}`);

/** Jobs that fill a library. */
export const filling = ({ store }: Cache<VectorizationJob>, library: DomainLibrary): VectorizationJob[] =>
  store.by(byLibrary, inNamespace(library, library.metadata.name));

/** Jobs that name a Secret. */
export const readingSecret = ({ store }: Cache<VectorizationJob>, secret: KubeObject): VectorizationJob[] =>
  store.by(bySecret, inNamespace(secret, secret.metadata.name));

/** Jobs that name a ConfigMap or claim. */
export const readingObject = (
  { store }: Cache<VectorizationJob>,
  kind: 'ConfigMap' | 'PersistentVolumeClaim',
  object: KubeObject,
): VectorizationJob[] => store.by(byObject, `${kind}/${inNamespace(object, object.metadata.name)}`);

/** What an object controls. */
export const ownedBy = <T extends KubeObject>({ metadata }: KubeObject, { store }: Cache<T>): T[] =>
  metadata.uid === undefined ? [] : store.by(byOwner, metadata.uid);
