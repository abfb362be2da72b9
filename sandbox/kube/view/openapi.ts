import { isObject, type Json, type JsonObject } from '../json.ts';
import { apiVersionOf } from '../objects.ts';
import type { Schema } from '../schema.ts';
import type { Registry } from '../types/registry.ts';
import { groupVersion, type Resource } from '../types/resource.ts';

const pathOf = (gv: string): string => (gv.includes('/') ? `apis/${gv}` : `api/${gv}`);

/** The index of `/openapi/v3`: one document per group version. */
export function openApiIndex(registry: Registry): JsonObject {
  const versions = [...new Set(registry.resources.map(groupVersion))];
  const paths = versions.map((gv) => [
    pathOf(gv),
    { serverRelativeURL: `/openapi/v3/${pathOf(gv)}?hash=${registry.version}` },
  ]);
  return { paths: Object.fromEntries(paths) };
}

const TEXT: JsonObject = { type: 'string' };
const FIELD_VALIDATION: JsonObject = { name: 'fieldValidation', in: 'query', schema: TEXT };

/** The document of one group version: enough for `kubectl explain` and for its choice of server-side validation. */
export function openApiDocument(registry: Registry, group: string, version: string): JsonObject | undefined {
  const resources = registry.resources.filter((r) => r.group === group && r.version === version);
  if (resources.length === 0) return undefined;
  const schemas: JsonObject = {};
  for (const resource of resources) {
    const root = schemaObject(resource.schema, schemas);
    schemas[componentOf(resource)] = {
      ...inlined(root, schemas),
      'x-kubernetes-group-version-kind': [{ group, version, kind: resource.kind }],
    };
  }
  const paths = Object.fromEntries(resources.map((resource) => [pathTemplate(resource), operations(resource)]));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.3' },
    paths,
    components: { schemas },
  };
}

const componentOf = ({ group, version, kind }: Resource): string =>
  `${apiVersionOf(group, version).replaceAll('/', '.')}.${kind}`;

function pathTemplate(resource: Resource): string {
  const scope = resource.namespaced ? '/namespaces/{namespace}' : '';
  return `/${pathOf(groupVersion(resource))}${scope}/${resource.plural}/{name}`;
}

function operations(resource: Resource): JsonObject {
  const { group, version, kind } = resource;
  const gvk = { group, version, kind };
  const ref = { $ref: `#/components/schemas/${componentOf(resource)}` };
  const answer = { 200: { description: 'OK', content: { 'application/json': { schema: ref } } } };
  return {
    get: { 'x-kubernetes-action': 'get', 'x-kubernetes-group-version-kind': gvk, responses: answer },
    patch: {
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': gvk,
      parameters: [{ name: 'dryRun', in: 'query', schema: TEXT }, FIELD_VALIDATION],
      requestBody: { content: { 'application/apply-patch+yaml': {}, 'application/merge-patch+json': {} } },
      responses: answer,
    },
  };
}

const inlined = (root: JsonObject, schemas: JsonObject): JsonObject => {
  const ref = root['$ref'];
  if (typeof ref !== 'string') return root;
  const target = schemas[ref.replace('#/components/schemas/', '')];
  return isObject(target) ? target : {};
};

/** A schema as OpenAPI: models of built-in kinds become components, since they may refer to themselves. */
function schemaObject(schema: Schema, schemas: JsonObject): JsonObject {
  const model = schema['x-model'];
  if (typeof model !== 'string') return plainSchema(schema, schemas);
  const name = `io.k8s.${model}.${model.replace(/^([A-Z][a-z]*)?V\d+/, '')}`;
  if (schemas[name] === undefined) {
    schemas[name] = {};
    schemas[name] = plainSchema(schema, schemas);
  }
  return { $ref: `#/components/schemas/${name}` };
}

function plainSchema(schema: Schema, schemas: JsonObject): JsonObject {
  const { properties, items, additionalProperties, 'x-model': _model, ...rest } = schema;
  const result: JsonObject = { ...(rest as JsonObject) };
  if (properties !== undefined) {
    const entries = Object.entries(properties).map(([name, child]): [string, Json] => [
      name,
      described(child, schemas),
    ]);
    result['properties'] = Object.fromEntries(entries);
  }
  if (items !== undefined) result['items'] = schemaObject(items, schemas);
  if (isObject(additionalProperties))
    result['additionalProperties'] = schemaObject(additionalProperties as Schema, schemas);
  return result;
}

const METADATA =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** A reference carries nothing beside it, so what a field adds to its model is wrapped. */
function described(schema: Schema, schemas: JsonObject): JsonObject {
  const result = schemaObject(schema, schemas);
  if (typeof result['$ref'] !== 'string') return result;
  return { allOf: [result], default: {}, ...(schema['x-model'] === 'V1ObjectMeta' ? { description: METADATA } : {}) };
}
