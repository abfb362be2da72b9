import type { Json, JsonObject } from './json.ts';

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFieldsEntry = {
  manager: string;
  operation: string;
  apiVersion: string;
  time?: string;
  fieldsType: string;
  fieldsV1: JsonObject;
  subresource?: string;
};

export type Metadata = {
  [key: string]: Json | undefined;
  name: string;
  namespace?: string;
  generateName?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: { [key: string]: string };
  annotations?: { [key: string]: string };
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
};

/** An object as the store holds it: complete metadata, JSON values only. */
export type ApiObject = {
  [key: string]: Json | undefined;
  apiVersion: string;
  kind: string;
  metadata: Metadata;
};

export const keyOf = (object: ApiObject): string => storeKey(object.metadata.namespace ?? '', object.metadata.name);
export const storeKey = (namespace: string, name: string): string => `${namespace}/${name}`;
export const apiVersionOf = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;
/** RFC 3339 with whole seconds, as metav1.Time is written. */
export const wireTime = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
