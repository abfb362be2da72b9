import type { StructuralSchema } from './schema/types.ts';

export const GROUP = 'qdrant-librarian.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;
/** What every annotation, label and finalizer of the operator starts with. */
export const PREFIX = `${GROUP}/` as const;

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

/** Object metadata in its wire form: times are RFC 3339 strings. */
export type ObjectMeta = {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
};

/** An object of one of the four kinds. */
export type LibrarianObject<Kind extends string, Spec, Status> = {
  apiVersion: typeof API_VERSION;
  kind: Kind;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
};

export type PrinterColumn = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 0 (default): always shown. 1: with `-o wide`. */
  readonly priority?: 0 | 1;
  readonly format?: string;
};

export type ScaleSubresource = {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath: string;
};

/** Everything that the CRD of a kind is made of. */
export type KindDescriptor<Kind extends string = string> = {
  readonly group: typeof GROUP;
  readonly version: typeof VERSION;
  readonly kind: Kind;
  readonly plural: string;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: true;
  readonly columns: readonly PrinterColumn[];
  readonly scale?: ScaleSubresource;
  /** The `openAPIV3Schema` of the whole object. */
  readonly schema: StructuralSchema;
};
