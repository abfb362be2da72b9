import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from './atomic-directory.ts';
import type { EnvironmentSources } from './environment.ts';
import { type TokenRequest, type VolumeContent, type VolumeFile, volumeContent } from './volume-content.ts';
import type { Volume } from './wire.ts';

/** The host directory behind a claim, or why there is none yet. */
export type ClaimDirectory =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string };

export type PodVolumesOptions = {
  readonly volumes: readonly Volume[];
  readonly directory: string;
  readonly claimDirectory: (claim: string) => ClaimDirectory;
  readonly requestToken: (request: TokenRequest) => Promise<string>;
};

/** Tokens are renewed when four fifths of their time are over. Source: kubelet `token_manager.go`. */
const RENEW_AFTER = 0.8;

type Token = { readonly value: string; readonly renewAt: number };

/** The volumes of one pod as directories of the host. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #fingerprints = new Map<string, string>();
  readonly #tokens = new Map<string, Token>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  directoryOf(volume: string): string {
    return join(this.#options.directory, volume);
  }

  /**
   * Brings every volume up to date; atomic for each of them.
   *
   * @returns why a volume can't be set up yet (kubelet: `FailedMount`); undefined when all are
   */
  update(sources: EnvironmentSources): Promise<string | undefined> {
    const result = this.#turn.then(() => this.#updateAll(sources));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #updateAll(sources: EnvironmentSources): Promise<string | undefined> {
    await mkdir(this.#options.directory, { recursive: true });
    for (const volume of this.#options.volumes) {
      const refusal = await this.#updateOne(volume, sources);
      if (refusal !== undefined) return `MountVolume.SetUp failed for volume "${volume.name}": ${refusal}`;
    }
    return undefined;
  }

  async #updateOne(volume: Volume, sources: EnvironmentSources): Promise<string | undefined> {
    const directory = this.directoryOf(volume.name);
    if (volume.emptyDir !== undefined) {
      await mkdir(directory, { recursive: true });
      await chmod(directory, 0o777);
      return undefined;
    }
    if (volume.persistentVolumeClaim !== undefined) {
      return this.#linkClaim(volume.persistentVolumeClaim.claimName, directory);
    }
    const content = volumeContent(volume, sources);
    if (content === undefined) return `this node agent has no volumes of this kind: ${kindOf(volume)}`;
    if (!content.ok) return content.message;
    const files = await this.#withTokens(volume.name, content);
    const fingerprint = fingerprintOf(files);
    if (this.#fingerprints.get(volume.name) === fingerprint) return undefined;
    await writeAtomically(directory, files);
    this.#fingerprints.set(volume.name, fingerprint);
    return undefined;
  }

  async #linkClaim(claim: string, directory: string): Promise<string | undefined> {
    if (this.#fingerprints.has(directory)) return undefined;
    const found = this.#options.claimDirectory(claim);
    if (!found.ok) return found.message;
    await mkdir(found.path, { recursive: true });
    await symlink(found.path, directory);
    this.#fingerprints.set(directory, found.path);
    return undefined;
  }

  async #withTokens(
    volume: string,
    { files, tokens }: Extract<VolumeContent, { ok: true }>,
  ): Promise<ReadonlyMap<string, VolumeFile>> {
    const all = new Map(files);
    for (const request of tokens) {
      const key = `${volume}/${request.path}`;
      const known = this.#tokens.get(key);
      const fresh = known !== undefined && Date.now() < known.renewAt;
      const value = fresh ? known.value : await this.#options.requestToken(request);
      const renewAt = fresh ? known.renewAt : Date.now() + request.expirationSeconds * 1000 * RENEW_AFTER;
      this.#tokens.set(key, { value, renewAt });
      all.set(request.path, { content: Buffer.from(value), mode: 0o600 });
    }
    return all;
  }
}

function kindOf(volume: Volume): string {
  return Object.keys(volume)
    .filter((key) => key !== 'name')
    .join(', ');
}

function fingerprintOf(files: ReadonlyMap<string, VolumeFile>): string {
  const parts = [...files].map(
    ([path, { content, mode }]) => `${path} ${mode} ${Buffer.from(content).toString('base64')}`,
  );
  return parts.toSorted().join('\n');
}
