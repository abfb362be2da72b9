import type { Static } from 'typebox';
import { choice, flag, integer, list, object, optional, text } from '../schema/builders.ts';
import {
  collectionName,
  cron,
  labelSelector,
  localRef,
  percent,
  QDRANT_NAME_PATTERN,
  suspend,
  timeZone,
  url,
} from '../schema/shapes.ts';
import {
  hnsw,
  optimizers,
  payloadIndexes,
  quantization,
  shards,
  sparseVectors,
  strictMode,
  vectors,
} from './collection.ts';

const GENERATION_SUFFIX = {
  rule: "!self.matches('--g[0-9]+$')",
  message: 'must not end in --g<number>: such names are those of generations',
};

const placement = object(
  'Where the library lives.',
  {
    clusterRef: optional(localRef('Pinned to this QdrantCluster; editing it orders a move.')),
    clusterSelector: optional(
      labelSelector(
        'Chosen by the operator among the QdrantClusters with these labels; a RebalancePolicy may move it.',
      ),
    ),
  },
  {
    rules: [
      {
        rule: 'has(self.clusterRef) != has(self.clusterSelector)',
        message: 'exactly one of clusterRef and clusterSelector must be set',
      },
    ],
  },
);

const tuning = object('Finds the cheapest settings that reach a recall goal.', {
  mode: optional(
    choice('Off; Recommend: measure and report; Auto: apply, too.', ['Off', 'Recommend', 'Auto'], { default: 'Off' }),
  ),
  targetRecallPercent: optional(
    percent('Share of the true nearest neighbours a search must find, in percent.', { min: 50, default: 95 }),
  ),
  sampleQueries: optional(integer('Searches that are measured.', { min: 10, max: 100_000, default: 200 })),
  schedule: optional(cron('When it is measured; without it once per change.')),
});

const destination = object(
  'Where snapshots are kept.',
  {
    type: optional(choice('local: on the peers; s3: in a bucket.', ['local', 's3'], { default: 'local' })),
    s3: optional(
      object('A bucket.', {
        bucket: text('Its name.', { min: 3, max: 63, pattern: '^[a-z0-9][a-z0-9.-]*[a-z0-9]$' }),
        prefix: optional(text('What keys begin with.', { max: 512 })),
        endpoint: optional(url("URL of the service; default: AWS's for the region.")),
        region: optional(text('Region.', { min: 1, max: 64, pattern: '^[A-Za-z0-9-]+$', default: 'us-east-1' })),
        credentialsSecretRef: optional(
          localRef('Secret with access-key-id and secret-access-key; default: the identity of the pod.'),
        ),
      }),
    ),
  },
  {
    rules: [{ rule: "(self.type == 's3') == has(self.s3)", message: 's3 must be set when type is s3, and only then' }],
  },
);

const snapshots = object('Snapshots on a schedule, and where those go that are made on demand.', {
  schedule: optional(cron('When a snapshot is made; without it on demand only.')),
  timeZone: optional(timeZone('IANA time zone of the schedule.')),
  keepLast: optional(integer('Snapshots that are kept.', { min: 1, max: 1000, default: 7 })),
  maxAgeHours: optional(
    integer('Age at which a snapshot is dropped, in hours; the newest stays.', { min: 1, max: 87_600 }),
  ),
  destination: optional(destination),
});

const rollback = object(
  'Goes back. Runs once per value: restores beside the live data, verifies, switches; what was live stays.',
  {
    toSnapshot: optional(text('Name of a snapshot in status.snapshots.', { min: 1, max: 512 })),
    toGeneration: optional(integer('Number of a generation in status.generations.', { min: 0, max: 1_000_000 })),
  },
  {
    rules: [
      {
        rule: 'has(self.toSnapshot) != has(self.toGeneration)',
        message: 'exactly one of toSnapshot and toGeneration must be set',
      },
    ],
  },
);

const discovery = object('Finds domains inside this library by meaning.', {
  schedule: optional(cron('When it runs; without it once per change.')),
  sampleSize: optional(integer('Points that are looked at.', { min: 100, max: 10_000_000, default: 20_000 })),
  maxDomains: optional(integer('Most domains.', { min: 2, max: 256, default: 32 })),
  minSharePercent: optional(
    percent('Smallest share of the points that makes a domain, in percent.', { min: 1, max: 50, default: 2 }),
  ),
  action: optional(
    choice('Recommend: report; Split: make libraries of them.', ['Recommend', 'Split'], { default: 'Recommend' }),
  ),
});

export const spec = object(
  'What is wanted.',
  {
    domain: text('Knowledge domain, e.g. documentation.', {
      min: 1,
      max: 63,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
    }),
    description: optional(text('What it holds, for people and for routing.', { max: 1024 })),
    collection: optional(
      text("Public name, a Qdrant alias; default: the object's name. Can't be changed.", {
        min: 1,
        max: 200,
        pattern: QDRANT_NAME_PATTERN,
        rules: [GENERATION_SUFFIX],
      }),
    ),
    placement,
    profile: optional(
      choice(
        'Starting values for the shape below; a value given wins.',
        ['Documentation', 'Code', 'Analytics', 'AiMl', 'Custom'],
        {
          default: 'Custom',
        },
      ),
    ),
    vectors: optional(vectors),
    sparseVectors: optional(sparseVectors),
    hnsw: optional(hnsw),
    quantization: optional(quantization),
    optimizers: optional(optimizers),
    shards: optional(shards),
    strictMode: optional(strictMode),
    payloadIndexes: optional(payloadIndexes),
    aliases: optional(list('Further names of the library.', collectionName('An alias.'), { max: 16, set: true })),
    adopt: optional(flag('Takes over a collection that already bears the name: it becomes generation 0.')),
    tuning: optional(tuning),
    snapshots: optional(snapshots),
    rollback: optional(rollback),
    discovery: optional(discovery),
    generations: optional(
      object(
        'What was before.',
        {
          keep: optional(integer('Retired generations that are kept.', { min: 0, max: 10, default: 1 })),
          reverseSyncSeconds: optional(
            integer(
              'After a move: how often what it has left is brought in step with what serves, in seconds, and never more than a twentieth of the time; 0: never. All points of both are read for it.',
              { min: 0, max: 86_400, default: 300 },
            ),
          ),
        },
        { default: {} },
      ),
    ),
    deletionPolicy: optional(
      choice(
        'What becomes of the collections and of local snapshots when this object is deleted; buckets keep theirs.',
        ['Retain', 'Delete'],
        {
          default: 'Retain',
        },
      ),
    ),
    suspend,
  },
  {
    rules: [
      {
        rule: 'has(self.collection) == has(oldSelf.collection) && (!has(self.collection) || self.collection == oldSelf.collection)',
        message: "collection can't be changed",
        fieldPath: '.collection',
      },
      {
        rule: "self.profile != 'Custom' || has(self.vectors) || has(self.sparseVectors) || (has(self.adopt) && self.adopt)",
        message: 'vectors or sparseVectors must be specified when profile is Custom, unless adopt is true',
      },
      {
        rule: '!has(self.aliases) || !has(self.collection) || !(self.collection in self.aliases)',
        message: 'aliases must not contain the collection itself',
        fieldPath: '.aliases',
      },
      {
        rule: '!has(self.vectors) || !has(self.sparseVectors) || !self.vectors.exists(v, self.sparseVectors.exists(s, s.name == v.name))',
        message: 'a dense and a sparse vector must not have the same name',
        fieldPath: '.sparseVectors',
      },
    ],
  },
);

export type DomainLibrarySpec = Static<typeof spec>;
export type LibraryProfile = NonNullable<DomainLibrarySpec['profile']>;
export type Placement = Static<typeof placement>;
export type SnapshotDestination = Static<typeof destination>;
