import type { Engine } from '../engine.ts';
import { clusterRoutes } from './cluster.ts';
import { collectionRoutes } from './collections.ts';
import type { RequestCounters } from './counters.ts';
import { pointRoutes } from './points.ts';
import type { Route } from './router.ts';
import { absentRoutes, serviceRoutes } from './service.ts';
import { snapshotRoutes } from './snapshots.ts';
import { telemetryRoutes } from './telemetry.ts';

/** Every route of the REST interface. */
export function allRoutes(engine: Engine, counters: RequestCounters): readonly Route[] {
  return [
    ...serviceRoutes,
    ...telemetryRoutes(engine, counters),
    ...clusterRoutes,
    ...collectionRoutes,
    ...pointRoutes,
    ...snapshotRoutes,
    ...absentRoutes,
  ];
}
