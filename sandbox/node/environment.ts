import type { Pod } from '../../src/kube/index.ts';
import { expand } from './expand.ts';
import { type PodPlace, podField, resourceField } from './pod-fields.ts';
import type { Container, References } from './wire.ts';

/** Where the values of a container's environment come from. */
export type EnvironmentSources = { readonly pod: Pod; readonly place: PodPlace; readonly references: References };

/** The environment, or why the container can't be created yet (kubelet: `CreateContainerConfigError`). */
export type Environment =
  | { readonly ok: true; readonly variables: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string };

type EnvVar = NonNullable<Container['env']>[number];
type ValueSource = NonNullable<EnvVar['valueFrom']>;
/** `missing` says why there is no value where there must be one. */
type Found = { readonly value: string | undefined } | { readonly missing: string };

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString();

/** A container's environment: `envFrom`, then `env` in its order, each value expanded by what stands before it. */
export function buildEnvironment(container: Container, sources: EnvironmentSources): Environment {
  const variables = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef;
    const name = reference?.name ?? '';
    const data =
      source.configMapRef === undefined ? secretData(sources, name) : sources.references.configMap(name)?.data;
    const kind = source.configMapRef === undefined ? 'secret' : 'configmap';
    const known = source.configMapRef === undefined || sources.references.configMap(name) !== undefined;
    if ((data === undefined && kind === 'secret') || !known) {
      if (reference?.optional === true) continue;
      return { ok: false, message: `${kind} "${name}" not found` };
    }
    for (const [key, value] of Object.entries(data ?? {})) variables.set(`${source.prefix ?? ''}${key}`, value);
  }
  for (const { name, value, valueFrom: source } of container.env ?? []) {
    if (source === undefined) {
      variables.set(name, expand(value ?? '', variables));
      continue;
    }
    const found = valueFrom(source, container, sources);
    if ('missing' in found) return { ok: false, message: found.missing };
    if (found.value !== undefined) variables.set(name, found.value);
  }
  return { ok: true, variables };
}

function secretData({ references }: EnvironmentSources, name: string): Record<string, string> | undefined {
  const secret = references.secret(name);
  if (secret === undefined) return undefined;
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, decoded(value)]));
}

function valueFrom(source: ValueSource, container: Container, sources: EnvironmentSources): Found {
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = source;
  if (fieldRef !== undefined) {
    const value = podField(sources.pod, fieldRef.fieldPath, sources.place);
    return value === undefined ? { missing: `unsupported fieldPath: ${fieldRef.fieldPath}` } : { value };
  }
  if (resourceFieldRef !== undefined) {
    const value = resourceField(container, resourceFieldRef.resource, resourceFieldRef.divisor);
    return value === undefined ? { missing: `container sets no ${resourceFieldRef.resource}` } : { value };
  }
  if (secretKeyRef !== undefined) {
    const data = secretData(sources, secretKeyRef.name ?? '');
    return keyOf(data, secretKeyRef, 'secret');
  }
  if (configMapKeyRef !== undefined) {
    const configMap = sources.references.configMap(configMapKeyRef.name ?? '');
    return keyOf(configMap === undefined ? undefined : (configMap.data ?? {}), configMapKeyRef, 'configmap');
  }
  return { missing: 'valueFrom names no source this node agent knows' };
}

type KeyRef = { readonly name?: string; readonly key: string; readonly optional?: boolean };

function keyOf(data: Readonly<Record<string, string>> | undefined, reference: KeyRef, kind: string): Found {
  const value = data?.[reference.key];
  if (value !== undefined || reference.optional === true) return { value };
  const name = reference.name ?? '';
  return {
    missing:
      data === undefined ? `${kind} "${name}" not found` : `couldn't find key ${reference.key} in ${kind} ${name}`,
  };
}
