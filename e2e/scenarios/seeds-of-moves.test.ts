import { Coverage } from '../stage/faults/coverage.ts';
import { MOVE_CELLS, movePlan } from '../stage/faults/move-plan.ts';
import { playMoves } from '../stage/faults/moving.ts';
import { scenariosOfSeeds } from '../stage/faults/round.ts';
import { FIRST_RUN_SEED } from '../stage/faults/run-plan.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';

await scenariosOfSeeds(
  { needs: ['pod-faults', 'api-faults'], operator: QUICK_LEASE, gateways: 2 },
  {
    title: 'a library moves under load while somebody is killed',
    first: 1,
    all: 52,
    real: 12,
    few: 6,
    isMine: (seed) => seed < FIRST_RUN_SEED,
    plan: movePlan,
    play: playMoves,
    coverage: new Coverage(MOVE_CELLS),
  },
);
