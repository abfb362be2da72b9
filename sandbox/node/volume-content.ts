import type { ConfigMap, Secret } from '../../src/kube/index.ts';
import type { EnvironmentSources } from './environment.ts';
import { podField, resourceField } from './pod-fields.ts';
import type { DownwardItem, KeyToPath, ProjectedSource, Volume } from './wire.ts';

export type VolumeFile = { readonly content: Uint8Array; readonly mode: number };
/** A service account token that a projected volume asks for: only the API server can make it. */
export type TokenRequest = { readonly path: string; readonly audience?: string; readonly expirationSeconds: number };

/** The files of a volume by relative path, or why it can't be set up yet (kubelet: `FailedMount`). */
export type VolumeContent =
  | { readonly ok: true; readonly files: ReadonlyMap<string, VolumeFile>; readonly tokens: readonly TokenRequest[] }
  | { readonly ok: false; readonly message: string };

const DEFAULT_MODE = 0o644;
/** Source: Kubernetes `DefaultServiceAccountTokenExpirationSeconds`. */
const TOKEN_SECONDS = 3600;

type Entries = ReadonlyMap<string, Uint8Array>;
type Selection = {
  readonly kind: 'configmap' | 'secret';
  readonly name: string;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
};

const text = (value: string): Uint8Array => Buffer.from(value);
const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

function configMapEntries(configMap: ConfigMap | undefined): Entries | undefined {
  if (configMap === undefined) return undefined;
  const plain = Object.entries(configMap.data ?? {}).map(([key, value]) => [key, text(value)] as const);
  const binary = Object.entries(configMap.binaryData ?? {}).map(([key, value]) => [key, bytes(value)] as const);
  return new Map([...plain, ...binary]);
}

function secretEntries(secret: Secret | undefined): Entries | undefined {
  if (secret === undefined) return undefined;
  return new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, bytes(value)] as const));
}

function select(entries: Entries | undefined, selection: Selection): VolumeContent {
  const { kind, name, items, optional, mode } = selection;
  const none: VolumeContent = { ok: true, files: new Map(), tokens: [] };
  if (entries === undefined) return optional ? none : { ok: false, message: `${kind} "${name}" not found` };
  const chosen: readonly KeyToPath[] = items ?? [...entries.keys()].map((key) => ({ key, path: key }));
  const files = new Map<string, VolumeFile>();
  for (const item of chosen) {
    const content = entries.get(item.key);
    if (content !== undefined) files.set(item.path, { content, mode: item.mode ?? mode });
    else if (!optional) return { ok: false, message: `references non-existent ${kind} key: ${item.key}` };
  }
  return { ok: true, files, tokens: [] };
}

function downward(items: readonly DownwardItem[], mode: number, sources: EnvironmentSources): VolumeContent {
  const files = new Map<string, VolumeFile>();
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    const container = sources.pod.spec?.containers.find(({ name }) => name === resourceFieldRef?.containerName);
    const value =
      fieldRef === undefined
        ? container && resourceField(container, resourceFieldRef?.resource ?? '', resourceFieldRef?.divisor)
        : podField(sources.pod, fieldRef.fieldPath, sources.place);
    if (value === undefined) return { ok: false, message: `unsupported downward API item: ${path}` };
    files.set(path, { content: text(value), mode: own ?? mode });
  }
  return { ok: true, files, tokens: [] };
}

function projected(source: ProjectedSource, mode: number, sources: EnvironmentSources): VolumeContent {
  const { configMap, secret, downwardAPI, serviceAccountToken: token } = source;
  if (configMap !== undefined) {
    const { name = '', items, optional = false } = configMap;
    const entries = configMapEntries(sources.references.configMap(name));
    return select(entries, { kind: 'configmap', name, items, optional, mode });
  }
  if (secret !== undefined) {
    const { name = '', items, optional = false } = secret;
    return select(secretEntries(sources.references.secret(name)), { kind: 'secret', name, items, optional, mode });
  }
  if (downwardAPI !== undefined) return downward(downwardAPI.items ?? [], mode, sources);
  if (token !== undefined) {
    const request = { path: token.path, expirationSeconds: token.expirationSeconds ?? TOKEN_SECONDS };
    const audience = token.audience === undefined ? {} : { audience: token.audience };
    return { ok: true, files: new Map(), tokens: [{ ...request, ...audience }] };
  }
  return { ok: false, message: `projected source ${Object.keys(source).join(', ')} is not supported` };
}

/**
 * What a volume made of API objects holds now.
 *
 * @returns undefined for a volume whose content is the container's own (emptyDir, claims)
 */
export function volumeContent(volume: Volume, sources: EnvironmentSources): VolumeContent | undefined {
  const { configMap, secret, downwardAPI } = volume;
  if (configMap !== undefined) {
    const { name = '', items, optional = false, defaultMode: mode = DEFAULT_MODE } = configMap;
    const entries = configMapEntries(sources.references.configMap(name));
    return select(entries, { kind: 'configmap', name, items, optional, mode });
  }
  if (secret !== undefined) {
    const { secretName: name = '', items, optional = false, defaultMode: mode = DEFAULT_MODE } = secret;
    return select(secretEntries(sources.references.secret(name)), { kind: 'secret', name, items, optional, mode });
  }
  if (downwardAPI !== undefined) {
    return downward(downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE, sources);
  }
  if (volume.projected === undefined) return undefined;
  const mode = volume.projected.defaultMode ?? DEFAULT_MODE;
  const files = new Map<string, VolumeFile>();
  const tokens: TokenRequest[] = [];
  for (const source of volume.projected.sources ?? []) {
    const content = projected(source, mode, sources);
    if (!content.ok) return content;
    for (const [path, file] of content.files) files.set(path, file);
    tokens.push(...content.tokens);
  }
  return { ok: true, files, tokens };
}
