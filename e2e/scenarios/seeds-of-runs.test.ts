import { Coverage } from '../stage/faults/coverage.ts';
import { scenariosOfSeeds } from '../stage/faults/round.ts';
import { FIRST_RUN_SEED, RUN_CELLS, runPlan } from '../stage/faults/run-plan.ts';
import { playRuns } from '../stage/faults/running.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';

await scenariosOfSeeds(
  { needs: ['pod-faults', 'api-faults', 'outside-embedder'], operator: QUICK_LEASE },
  {
    title: 'documents are vectorised while somebody is killed',
    first: FIRST_RUN_SEED,
    all: 0,
    real: 0,
    few: 0,
    isMine: (seed) => seed >= FIRST_RUN_SEED,
    plan: runPlan,
    play: playRuns,
    coverage: new Coverage(RUN_CELLS),
  },
);
