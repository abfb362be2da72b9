import type { Json, JsonObject } from '../json.ts';
import { apiVersionOf } from '../objects.ts';
import { REVIEWS } from '../rest/reviews.ts';
import type { Registry } from '../types/registry.ts';
import type { Resource } from '../types/resource.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
/** The order in which apiextensions-apiserver tells them. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const READ_VERBS = ['get', 'list', 'watch'];

type Sub = {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
};

const SUBRESOURCE_KINDS: { readonly [name: string]: readonly [group: string, version: string, kind: string] } = {
  eviction: ['policy', 'v1', 'Eviction'],
  token: ['authentication.k8s.io', 'v1', 'TokenRequest'],
  binding: ['', 'v1', 'Binding'],
};

function subresourcesOf(resource: Resource): Sub[] {
  const { group, version, kind } = resource;
  const verbs = ['get', 'patch', 'update'];
  const own = Object.entries(resource.subresources).map(([name, subVerbs]): Sub => {
    const [subGroup, subVersion, subKind] = SUBRESOURCE_KINDS[name] ?? [group, version, kind];
    return { name, group: subGroup, version: subVersion, kind: subKind, verbs: subVerbs };
  });
  return [
    ...(resource.statusSubresource ? [{ name: 'status', group, version, kind, verbs }] : []),
    ...(resource.scale === undefined
      ? []
      : [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs }]),
    ...own,
  ];
}

const verbsOf = (resource: Resource): string[] =>
  resource.readOnly ? READ_VERBS : resource.custom === undefined ? VERBS : CUSTOM_VERBS;

type GroupVersion = { readonly group: string; readonly version: string };

function groupVersions(registry: Registry): GroupVersion[] {
  const known = [
    ...registry.resources.map(({ group, version }) => ({ group, version })),
    ...Object.keys(REVIEWS).map((type) => ({ group: type.split('/')[0] ?? '', version: 'v1' })),
  ];
  const unique = new Map(known.map((gv) => [apiVersionOf(gv.group, gv.version), gv]));
  return [...unique.values()];
}

const hasGroupVersion = (registry: Registry, group: string, version: string): boolean =>
  groupVersions(registry).some((gv) => gv.group === group && gv.version === version);

export const coreVersions = (address: string): JsonObject => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

function groupObject(group: string, versions: readonly string[]): JsonObject {
  const list = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: list, preferredVersion: list[0] ?? null };
}

function groups(registry: Registry): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const { group, version } of groupVersions(registry)) byName.set(group, [...(byName.get(group) ?? []), version]);
  return byName;
}

export function groupList(registry: Registry): JsonObject {
  const named = [...groups(registry)].filter(([group]) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: named.map(([group, versions]) => groupObject(group, versions)),
  };
}

export function oneGroup(registry: Registry, group: string): JsonObject | undefined {
  const versions = groups(registry).get(group);
  return versions === undefined || group === ''
    ? undefined
    : { kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group, versions) };
}

const reviewsOf = (group: string): { plural: string; kind: string }[] =>
  Object.entries(REVIEWS)
    .filter(([type]) => type.startsWith(`${group}/`))
    .map(([type, { kind }]) => ({ plural: type.split('/')[1] ?? '', kind }));

/** The legacy list of one group version. */
export function resourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  if (!hasGroupVersion(registry, group, version)) return undefined;
  const resources = registry.resources.filter((r) => r.group === group && r.version === version);
  const entries = resources.flatMap((resource): JsonObject[] => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: verbsOf(resource),
      ...(resource.shortNames.length > 0 ? { shortNames: [...resource.shortNames] } : {}),
      ...(resource.categories.length > 0 ? { categories: [...resource.categories] } : {}),
    },
    ...subresourcesOf(resource).map((sub) => ({
      name: `${resource.plural}/${sub.name}`,
      singularName: '',
      namespaced: resource.namespaced,
      kind: sub.kind,
      verbs: [...sub.verbs],
      ...(sub.group === group ? {} : { group: sub.group, version: sub.version }),
    })),
  ]);
  const reviews = reviewsOf(group).map(({ plural, kind }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ['create'],
  }));
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: [...entries, ...reviews],
  };
}

/** Everything in one answer: apidiscovery.k8s.io/v2. `core` tells `/api` from `/apis`. */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const items = [...groups(registry)]
    .filter(([group]) => (group === '') === core)
    .map(([group, versions]) => ({
      metadata: core ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        freshness: 'Current',
        resources: aggregatedResources(registry, group, version),
      })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResources(registry: Registry, group: string, version: string): Json[] {
  const resources = registry.resources.filter((r) => r.group === group && r.version === version);
  const scope = (namespaced: boolean): string => (namespaced ? 'Namespaced' : 'Cluster');
  return [
    ...resources.map((resource) => ({
      resource: resource.plural,
      responseKind: { group, version, kind: resource.kind },
      scope: scope(resource.namespaced),
      singularResource: resource.singular,
      verbs: verbsOf(resource),
      shortNames: [...resource.shortNames],
      categories: [...resource.categories],
      subresources: subresourcesOf(resource).map((sub) => ({
        subresource: sub.name,
        responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
        verbs: [...sub.verbs],
      })),
    })),
    ...reviewsOf(group).map(({ plural, kind }) => ({
      resource: plural,
      responseKind: { group, version, kind },
      scope: 'Cluster',
      singularResource: kind.toLowerCase(),
      verbs: ['create'],
    })),
  ];
}
