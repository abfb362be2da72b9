/** Minor versions of Qdrant 1 that this client was built and measured for. */
const OLDEST = 16;
const NEWEST = 19;

export type VersionSupport =
  | { readonly kind: 'supported' }
  /** Expected to work; nobody looked. */
  | { readonly kind: 'newer'; readonly message: string }
  /** Refused: no collection metadata below 1.16, so what is ours can't be told from what is not. */
  | { readonly kind: 'older'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

/** @param version as `version()` gives it, like `1.18.3` or `1.19.0-dev` */
export function supportedVersion(version: string): VersionSupport {
  const numbers = numbersOf(version);
  if (numbers === undefined) return { kind: 'unreadable', message: `"${version.slice(0, 40)}" is no version` };
  const { major, minor } = numbers;
  if (major < 1 || (major === 1 && minor < OLDEST))
    return { kind: 'older', message: `Qdrant ${version} is older than 1.${OLDEST}` };
  if (major > 1 || minor > NEWEST)
    return { kind: 'newer', message: `Qdrant ${version} is newer than 1.${NEWEST}, up to which this was tested` };
  return { kind: 'supported' };
}

/** First minor version of Qdrant 1 whose collections take further vectors. */
const ADDS_VECTORS = 18;

/** Whether this Qdrant knows `createVector`. One that doesn't can't read the entry of the log that adds it either. */
export function addsVectors(version: string): boolean {
  const numbers = numbersOf(version);
  return numbers !== undefined && (numbers.major > 1 || (numbers.major === 1 && numbers.minor >= ADDS_VECTORS));
}

function numbersOf(version: string): { major: number; minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:\.|$|-)/.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
