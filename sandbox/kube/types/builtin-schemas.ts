import * as models from '@kubernetes/client-node/dist/gen/models/ObjectSerializer.js';
import type { Schema } from '../schema.ts';

type Attribute = { name: string; baseName: string; type: string; format: string };
type Model = { getAttributeTypeMap(): Attribute[] };

const isModel = (value: unknown): value is Model => typeof value === 'function' && 'getAttributeTypeMap' in value;

/** Lists that merge by keys. Source: `+listMapKey` and `patchMergeKey` in k8s.io/api, release 1.36. */
const LIST_KEYS: { readonly [field: string]: readonly string[] } = {
  'V1PodSpec.containers': ['name'],
  'V1PodSpec.initContainers': ['name'],
  'V1PodSpec.ephemeralContainers': ['name'],
  'V1PodSpec.volumes': ['name'],
  'V1PodSpec.imagePullSecrets': ['name'],
  'V1PodSpec.hostAliases': ['ip'],
  'V1PodSpec.schedulingGates': ['name'],
  'V1PodSpec.resourceClaims': ['name'],
  'V1PodSpec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'V1Container.ports': ['containerPort', 'protocol'],
  'V1Container.env': ['name'],
  'V1Container.volumeMounts': ['mountPath'],
  'V1Container.volumeDevices': ['devicePath'],
  'V1EphemeralContainer.ports': ['containerPort', 'protocol'],
  'V1EphemeralContainer.env': ['name'],
  'V1EphemeralContainer.volumeMounts': ['mountPath'],
  'V1EphemeralContainer.volumeDevices': ['devicePath'],
  'V1ResourceRequirements.claims': ['name'],
  'V1ServiceSpec.ports': ['port', 'protocol'],
  'V1ServiceAccount.secrets': ['name'],
  'V1ObjectMeta.ownerReferences': ['uid'],
  'V1ServiceStatus.conditions': ['type'],
  'V1PodStatus.conditions': ['type'],
  'V1PodStatus.podIPs': ['ip'],
  'V1NodeStatus.conditions': ['type'],
  'V1NodeStatus.addresses': ['type'],
  'V1StatefulSetStatus.conditions': ['type'],
  'V1DeploymentStatus.conditions': ['type'],
  'V1ReplicaSetStatus.conditions': ['type'],
  'V1PodDisruptionBudgetStatus.conditions': ['type'],
  'V1PersistentVolumeClaimStatus.conditions': ['type'],
  'V1NamespaceStatus.conditions': ['type'],
  'V1CustomResourceDefinitionStatus.conditions': ['type'],
};

/** Lists that are atomic for apply but merge by key in a strategic merge patch. */
const PATCH_ONLY_KEYS: { readonly [field: string]: string } = {
  'V1JobStatus.conditions': 'type',
  'V1NodeSpec.taints': 'key',
  'V1PodStatus.hostIPs': 'ip',
  'V1ServiceAccount.imagePullSecrets': 'name',
};

const LIST_SETS = new Set(['V1ObjectMeta.finalizers', 'V1NodeSpec.podCIDRs']);

const ATOMIC_MODELS = new Set([
  'V1LabelSelector',
  'V1LocalObjectReference',
  'V1ObjectReference',
  'V1OwnerReference',
  'V1TypedLocalObjectReference',
  'V1SecretKeySelector',
  'V1ConfigMapKeySelector',
  'V1ObjectFieldSelector',
  'V1ResourceFieldSelector',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1RoleRef',
  'RbacV1Subject',
  'DiscoveryV1EndpointPort',
  'CoreV1EndpointPort',
]);

const ATOMIC_FIELDS = new Set(['V1ServiceSpec.selector', 'V1PodSpec.nodeSelector', 'V1PersistentVolumeSpec.claimRef']);

/** JSON inside these is free form: a schema inside a schema, FieldsV1. */
const OPAQUE = new Set(['V1JSONSchemaProps', 'any', 'object', 'V1ManagedFieldsEntry']);

const PROTOCOL_FIELDS = new Set(['V1ContainerPort.protocol', 'V1ServicePort.protocol']);

const QUANTITIES = new Set([
  'V1ResourceRequirements.limits',
  'V1ResourceRequirements.requests',
  'V1VolumeResourceRequirements.limits',
  'V1VolumeResourceRequirements.requests',
  'V1PersistentVolumeSpec.capacity',
  'V1PersistentVolumeClaimStatus.capacity',
  'V1PersistentVolumeClaimStatus.allocatedResources',
  'V1NodeStatus.capacity',
  'V1NodeStatus.allocatable',
  'V1EmptyDirVolumeSource.sizeLimit',
  'V1PodSpec.overhead',
  'V1ResourceFieldSelector.divisor',
]);
const QUANTITY: Schema = { type: 'string', format: 'quantity' };

const cache = new Map<string, Schema>();

/**
 * The structural schema of a built-in kind, made from the models of `@kubernetes/client-node`.
 *
 * @param model name of the model class, e.g. `V1StatefulSet`
 */
export function builtinSchema(model: string): Schema {
  const known = cache.get(model);
  if (known !== undefined) return known;
  const found: unknown = Object.getOwnPropertyDescriptor(models, model)?.value;
  if (!isModel(found)) throw new Error(`no model ${model} in @kubernetes/client-node`);
  const schema: Schema = { type: 'object', properties: {}, 'x-model': model };
  if (ATOMIC_MODELS.has(model)) schema['x-kubernetes-map-type'] = 'atomic';
  cache.set(model, schema);
  // Filled after it is known: models refer to themselves.
  schema.properties = Object.fromEntries(
    found.getAttributeTypeMap().map((attribute) => [attribute.baseName, fieldSchemaOf(model, attribute)]),
  );
  return schema;
}

function fieldSchemaOf(model: string, { baseName, type, format }: Attribute): Schema {
  const field = `${model}.${baseName}`;
  const schema = { ...typeSchema(type, format) };
  if (QUANTITIES.has(field)) Object.assign(schema, type === 'string' ? QUANTITY : { additionalProperties: QUANTITY });
  const keys = LIST_KEYS[field];
  if (keys !== undefined) {
    schema['x-kubernetes-list-type'] = 'map';
    schema['x-kubernetes-list-map-keys'] = [...keys];
  }
  const patchKey = PATCH_ONLY_KEYS[field] ?? keys?.[0];
  if (patchKey !== undefined) schema['x-kubernetes-patch-merge-key'] = patchKey;
  if (LIST_SETS.has(field)) schema['x-kubernetes-list-type'] = 'set';
  if (ATOMIC_FIELDS.has(field)) schema['x-kubernetes-map-type'] = 'atomic';
  if (PROTOCOL_FIELDS.has(field)) schema.default = 'TCP';
  return schema;
}

function typeSchema(type: string, format: string): Schema {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { type: 'array', items: typeSchema(list, '') };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return { type: 'object', additionalProperties: typeSchema(map, '') };
  if (OPAQUE.has(type)) return { 'x-kubernetes-preserve-unknown-fields': true };
  if (type === 'string') return { type: 'string', ...(format === '' ? {} : { format }) };
  if (type === 'boolean') return { type: 'boolean' };
  if (type === 'number') return format.startsWith('int') ? { type: 'integer', format } : { type: 'number' };
  if (type === 'IntOrString') return { 'x-kubernetes-int-or-string': true };
  if (type === 'Date') return { type: 'string', format: 'date-time' };
  if (type === 'V1MicroTime') return { type: 'string', format: 'micro-time' };
  return builtinSchema(type);
}
