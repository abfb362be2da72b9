/**
 * The repository of an image reference, without tag, digest and Docker Hub's implied prefix.
 *
 * Source: distribution/reference; `docker.io/library/x:1` and `x` name the same repository.
 */
export function imageRepository(image: string): string {
  const [withoutDigest = ''] = image.split('@');
  const slash = withoutDigest.lastIndexOf('/');
  const colon = withoutDigest.indexOf(':', slash + 1);
  const repository = colon === -1 ? withoutDigest : withoutDigest.slice(0, colon);
  return repository.replace(/^docker\.io\//, '').replace(/^library\//, '');
}

/** The runtime for an image, by its repository or by the last part of it: registries and owners may differ. */
export function runtimeOf<R>(image: string, runtimes: Readonly<Record<string, R>>): R | undefined {
  const repository = imageRepository(image);
  return runtimes[repository] ?? runtimes[repository.slice(repository.lastIndexOf('/') + 1)];
}
