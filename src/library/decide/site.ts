import type { GenerationChange, QdrantCluster } from '../../api/index.ts';
import { type CollectionLook, collectionLook, type Look } from '../look.ts';
import { on, type Plan } from '../plan.ts';
import { placeNamed, type SeenWorld, seenPlace } from '../world.ts';

/** A cluster that can be looked at. */
export type Site = {
  /** Undefined: the library's own. */
  readonly name: string | undefined;
  readonly cluster: QdrantCluster;
  readonly look: Look;
};

export const homeOf = ({ cluster, look }: SeenWorld): Site => ({ name: undefined, cluster, look });

/** Undefined while the cluster can't be looked at. */
export function siteOf(world: SeenWorld, name: string | undefined): Site | undefined {
  if (name === undefined || name === world.cluster.metadata.name) return homeOf(world);
  const place = placeNamed(world, name);
  return place === undefined ? undefined : seenPlace(place);
}

/** All that can be looked at, the library's own first. */
export const sitesOf = (world: SeenWorld): Site[] => [
  homeOf(world),
  ...world.places.flatMap((place) => seenPlace(place) ?? []),
];

export const onSite = ({ name }: Site, plan: Plan): Plan => (name === undefined ? plan : on(name, plan));

export type Move = GenerationChange & { readonly fromCluster: string; readonly toCluster: string };

/** Whether a change goes to another cluster. */
export const isMove = (change: GenerationChange): change is Move =>
  change.fromCluster !== undefined && change.toCluster !== undefined && change.fromCluster !== change.toCluster;

/** A collection on whatever cluster; undefined where neither can be seen. */
export const collectionAt = (world: SeenWorld, place: string | undefined, name: string): CollectionLook | undefined => {
  const site = sitesOf(world).find((each) => (each.name ?? world.cluster.metadata.name) === place);
  return site === undefined ? undefined : collectionLook(site.look, name);
};
