import type { ApiObject } from '../objects.ts';
import { builtinResources } from './builtins.ts';
import { customResources } from './custom.ts';
import type { Resource } from './resource.ts';

/** The kinds that are served: built-in ones and those of the CustomResourceDefinitions stored now. */
export class Registry {
  readonly #builtins = builtinResources();
  readonly #custom = new Map<string, Resource[]>();
  #resources: Resource[] = [];
  #byPath = new Map<string, Resource>();
  /** Counts changes, so that views made from the registry know when they are old. */
  version = 0;

  constructor() {
    this.#index();
  }

  get resources(): readonly Resource[] {
    return this.#resources;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Any version of a kind by the type under which it is stored. */
  findStored(storedAs: string): Resource | undefined {
    return this.#resources.find((resource) => resource.storedAs === storedAs);
  }

  serves(group: string, version: string): boolean {
    return this.#resources.some((resource) => resource.group === group && resource.version === version);
  }

  groups(): string[] {
    return [...new Set(this.#resources.map((resource) => resource.group))];
  }

  define(definition: ApiObject): void {
    this.#custom.set(definition.metadata.name, customResources(definition));
    this.#index();
  }

  forget(name: string): void {
    this.#custom.delete(name);
    this.#index();
  }

  #index(): void {
    this.version += 1;
    this.#resources = [...this.#builtins, ...[...this.#custom.values()].flat()];
    this.#byPath = new Map(this.#resources.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]));
  }
}
