import { join } from 'node:path';
import { expand } from './expand.ts';
import { hostPathOf, type PathMapping, rewritePaths } from './mount-paths.ts';
import type { Container } from './wire.ts';

/** How to run an image without a container engine. Paths are those inside the image. */
export type Runtime = {
  /** The image's ENTRYPOINT: for containers that give no command. Host paths are allowed. */
  readonly entrypoint: readonly string[];
  readonly workingDirectory: string;
  /** Executable files of the image, by absolute path: what containers call by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment of the image; the container's own wins. */
  readonly environment?: (podIP: string) => Readonly<Record<string, string>>;
};

export type ProcessSpecification = {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type ContainerFacts = {
  readonly container: Container;
  readonly runtime: Runtime;
  /** What every container of this pod gets; the runtime's and the container's own win. */
  readonly base: Readonly<Record<string, string>>;
  /** The container's own variables, expanded. */
  readonly variables: ReadonlyMap<string, string>;
  readonly podIP: string;
  /** The host directory that plays the container's root. */
  readonly root: string;
  readonly mappings: readonly PathMapping[];
};

/** Variables to which every layer adds instead of replacing what the layer before said. */
const ADDED_UP = new Set(['NODE_OPTIONS']);

function layered(layers: readonly Iterable<readonly [string, string]>[]): Map<string, string> {
  const merged = new Map<string, string>();
  for (const layer of layers) {
    for (const [name, value] of layer) {
      const before = merged.get(name);
      merged.set(name, ADDED_UP.has(name) && before !== undefined ? `${before} ${value}` : value);
    }
  }
  return merged;
}

/**
 * The process a container becomes: command and args expanded and their paths rewritten to the host's.
 *
 * Source: Kubernetes `core/v1` Container (`command` replaces ENTRYPOINT and CMD, `args` only CMD).
 */
export function processSpecification(facts: ContainerFacts): ProcessSpecification {
  const { container, runtime, variables, mappings } = facts;
  const rewritten = (text: string): string => rewritePaths(text, mappings);
  const own = [...variables].map(([name, value]) => [name, rewritten(value)] as const);
  const image = Object.entries(runtime.environment?.(facts.podIP) ?? {});
  const [file = '', ...rest] = [
    ...(container.command?.map((part) => rewritten(expand(part, variables))) ?? runtime.entrypoint),
    ...(container.args ?? []).map((part) => rewritten(expand(part, variables))),
  ];
  const directory = container.workingDir ?? runtime.workingDirectory;
  return {
    file,
    arguments: rest,
    workingDirectory: hostPathOf(directory, mappings) ?? join(facts.root, directory),
    environment: Object.fromEntries(layered([Object.entries(facts.base), image, own])),
  };
}
