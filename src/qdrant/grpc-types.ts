import type { QdrantClient } from '@qdrant/js-client-grpc';

/** The generated client of Qdrant's `Points` service. */
export type PointsApi = Extract<ReturnType<QdrantClient['api']>, { readonly upsert: unknown }>;
export type UpsertInit = Parameters<PointsApi['upsert']>[0];
export type ScrollInit = Parameters<PointsApi['scroll']>[0];
export type GetInit = Parameters<PointsApi['get']>[0];
export type PointInit = NonNullable<UpsertInit['points']>[number];
export type QueryInit = Parameters<PointsApi['query']>[0];
export type IdInit = NonNullable<GetInit['ids']>[number];
export type PayloadInit = NonNullable<GetInit['withPayload']>;
export type ShardKeyInit = NonNullable<NonNullable<GetInit['shardKeySelector']>['shardKeys']>[number];
