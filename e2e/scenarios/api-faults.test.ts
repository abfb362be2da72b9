import assert from 'node:assert/strict';
import type { Ground } from '../ground.ts';
import { scenarios } from '../stage/scenario.ts';

/** As far from its limits as in production, in proportion: faults shall slow the leader down, not end it. */
const LEASE = {
  QDRANT_LIBRARIAN_LEASE_SECONDS: '8',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '6',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '0.5',
};

const scenario = await scenarios({ needs: ['api-faults', 'audit'], operator: LEASE });

type Disturbance = {
  readonly title: string;
  /** Lasts until the returned function is called. */
  readonly lasting?: (ground: Ground) => () => void;
  /** Once after each change of a spec: whoever watches rests longer after each break. */
  readonly once?: (ground: Ground, change: number) => void;
};

/** Breaks of watches come last: everyone who watches still rests longer for two minutes. */
const DISTURBANCES: readonly Disturbance[] = [
  {
    title: 'a fifth of the requests is throttled, a tenth fails',
    lasting({ faults, operator: { user } }) {
      const throttled = faults.throttle({ user, share: 0.2, retryAfterSeconds: 1 });
      const failing = faults.fail({ user, share: 0.1, status: 500 });
      return () => {
        throttled();
        failing();
      };
    },
  },
  {
    title: 'answers come late, and other writers are faster',
    lasting({ faults, operator: { user } }) {
      const late = faults.delay(150, { user });
      const kinds = ['qdrantclusters', 'domainlibraries', 'statefulsets', 'configmaps', 'secrets'];
      const conflicts = kinds.map((resource) =>
        faults.inject({ user, resource, verbs: ['update', 'patch'], share: 0.3 }, { kind: 'conflict' }),
      );
      return () => {
        for (const end of [late, ...conflicts]) end();
      };
    },
  },
  {
    title: 'watches are cut in the middle of changes, and the past is forgotten',
    once: ({ faults }, change) => void (change % 2 === 0 ? faults.cutWatches() : faults.expire()),
  },
];

for (const { title, lasting, once } of DISTURBANCES) {
  scenario(`${title}: all becomes what it should be, and nothing is written at rest`, async (stage) => {
    const calm = lasting?.(stage.ground) ?? (() => undefined);
    stage.defer(async () => calm());
    let changes = 0;
    const disturb = (): void => once?.(stage.ground, changes++);
    await stage.createCluster('desk', { size: 1 });
    await stage.createLibrary('docs', 'desk', { shards: { number: 1 } });
    disturb();
    await stage.libraryReady('docs', 1);
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 }, hnsw: { m: 24 } } });
    disturb();
    await stage.libraryReady('docs', 2);
    await stage.scale('desk', 2);
    disturb();
    await stage.clusterReady('desk', 2);
    calm();

    const { config } = await (await stage.qdrant('desk')).collection('docs');
    assert.deepEqual([config.params.shard_number, config.hnsw_config.m], [2, 24]);
    await stage.libraryReady('docs', 2);
    await stage.operator.atRest(4);
  });
}
