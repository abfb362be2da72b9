import { Assignment } from '../../src/rebalance/plan/assignment.ts';
import type { Model } from '../../src/rebalance/plan/model.ts';

/**
 * The baseline: again and again the hottest cluster gives that library to that cluster which leaves the highest load
 * lowest; no swaps, nothing is taken back. A simple form of what Cruise Control's distribution goals do.
 */
export function greedy(model: Model): Assignment {
  const assignment = new Assignment(model);
  for (;;) {
    const hottest = assignment.hottest();
    let [best, item, to] = [assignment.highest() * (1 - 1e-9), -1, -1];
    for (const candidate of assignment.at.keys()) {
      if (assignment.at[candidate] !== hottest) continue;
      for (let cluster = 0; cluster < model.clusters; cluster += 1) {
        const moves = assignment.movesBy(candidate, cluster);
        if (!assignment.affords(moves, moves * (model.bytes[candidate] ?? 0)) || !assignment.fits(candidate, cluster))
          continue;
        assignment.place(candidate, cluster);
        const highest = assignment.highest();
        assignment.place(candidate, hottest);
        if (highest < best) [best, item, to] = [highest, candidate, cluster];
      }
    }
    if (item < 0) return assignment;
    assignment.place(item, to);
  }
}
