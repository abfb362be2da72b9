import type { ApiObject } from '../objects.ts';
import type { Schema } from '../schema.ts';

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
};

export type Scale = {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
};

/** One served version of a kind. */
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Where its objects are stored, `group/plural`; two views of one thing share it. */
  readonly storedAs: string;
  readonly schema: Schema;
  readonly statusSubresource: boolean;
  readonly scale?: Scale;
  /** Further subresources with the verbs that work on them. */
  readonly subresources: { readonly [name: string]: readonly string[] };
  /** Whether `metadata.generation` counts changes of the desired state. */
  readonly countsGenerations: boolean;
  /** Whether a replace without resourceVersion is accepted. */
  readonly unconditionalUpdate: boolean;
  /** Can be listed, but nothing here acts on it: writes answer 501. */
  readonly readOnly: boolean;
  readonly selectableFields: readonly string[];
  readonly custom?: CustomKind;
  /** Conversion between this view and the stored form. */
  readonly toStored: (object: ApiObject) => ApiObject;
  readonly fromStored: (object: ApiObject) => ApiObject;
};

/** What only kinds made by a CustomResourceDefinition have. */
export type CustomKind = {
  readonly definition: string;
  readonly columns: readonly (Column & { readonly jsonPath: string })[];
};

/** `group/version` of a resource as objects carry it. */
export const groupVersion = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);
