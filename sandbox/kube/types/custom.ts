import { asArray, asNumber, asObject, asString, asStrings, at, isObject, type Json } from '../json.ts';
import { type ApiObject, apiVersionOf } from '../objects.ts';
import type { Schema } from '../schema.ts';
import { builtinSchema } from './builtin-schemas.ts';
import type { CustomKind, Resource, Scale } from './resource.ts';

/** The served versions of a CustomResourceDefinition. */
export function customResources(definition: ApiObject): Resource[] {
  const spec = asObject(definition['spec']);
  const group = asString(spec['group']);
  const names = asObject(spec['names']);
  const plural = asString(names['plural']);
  const versions = asArray(spec['versions']).map(asObject);
  const stored = asString(versions.find((version) => version['storage'] === true)?.['name']);
  return versions
    .filter((version) => version['served'] === true)
    .map((version): Resource => {
      const kind = asString(names['kind']);
      const name = asString(version['name']);
      const subresources = asObject(version['subresources']);
      const scale = scaleOf(subresources['scale']);
      return {
        group,
        version: name,
        kind,
        listKind: asString(names['listKind']) || `${kind}List`,
        plural,
        singular: asString(names['singular']) || kind.toLowerCase(),
        shortNames: asStrings(names['shortNames']),
        categories: asStrings(names['categories']),
        namespaced: spec['scope'] !== 'Cluster',
        storedAs: `${group}/${plural}`,
        schema: withMetadata(at(version, 'schema', 'openAPIV3Schema')),
        statusSubresource: isObject(subresources['status']),
        ...(scale === undefined ? {} : { scale }),
        subresources: {},
        countsGenerations: true,
        unconditionalUpdate: false,
        readOnly: false,
        selectableFields: asArray(version['selectableFields']).map((field) => asString(at(field, 'jsonPath')).slice(1)),
        custom: { definition: definition.metadata.name, columns: columnsOf(version['additionalPrinterColumns']) },
        toStored: (object) => ({ ...object, apiVersion: apiVersionOf(group, stored) }),
        fromStored: (object) => ({ ...object, apiVersion: apiVersionOf(group, name) }),
      };
    });
}

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const API_VERSION = `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`;
const KIND = `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`;

function withMetadata(declared: Json | undefined): Schema {
  const schema = asObject(declared) as Schema;
  const identity: Schema['properties'] = {
    apiVersion: { type: 'string', description: API_VERSION },
    kind: { type: 'string', description: KIND },
    metadata: builtinSchema('V1ObjectMeta'),
  };
  return { ...schema, properties: { ...schema.properties, ...identity } };
}

function scaleOf(value: Json | undefined): Scale | undefined {
  if (!isObject(value)) return undefined;
  const labelSelectorPath = asString(value['labelSelectorPath']);
  return {
    specReplicasPath: asString(value['specReplicasPath']),
    statusReplicasPath: asString(value['statusReplicasPath']),
    ...(labelSelectorPath === '' ? {} : { labelSelectorPath }),
  };
}

function columnsOf(value: Json | undefined): CustomKind['columns'] {
  const columns = asArray(value).map((column) => ({
    name: asString(at(column, 'name')),
    type: asString(at(column, 'type')),
    format: asString(at(column, 'format')),
    description: asString(at(column, 'description')),
    priority: asNumber(at(column, 'priority')) ?? 0,
    jsonPath: asString(at(column, 'jsonPath')),
  }));
  if (columns.length > 0) return columns;
  const description = 'CreationTimestamp is a timestamp representing the server time when this object was created.';
  return [{ name: 'Age', type: 'date', format: '', description, priority: 0, jsonPath: '.metadata.creationTimestamp' }];
}
