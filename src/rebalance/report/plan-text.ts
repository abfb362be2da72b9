import { DIMENSIONS } from '../load.ts';
import type { PlanDocument } from '../plan/document.ts';

const times = (value: number): string => value.toFixed(2);
const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** The plan for people, as `kubectl get configmap -o jsonpath` prints it. */
export function planText({ digest, createdAt, expiresAt, plan }: PlanDocument): string {
  const { moves, before, after, lowerBound, clusters, stays } = plan;
  const ratio = lowerBound === undefined ? '' : `, at most ${(after / lowerBound).toFixed(3)} times what is possible`;
  return [
    `plan ${digest} of ${createdAt}, to be approved until ${expiresAt}`,
    `highest load, as a multiple of the mean: ${times(before)} before, ${times(after)} after${ratio}`,
    '',
    ...moves.flatMap(({ library, from, to, bytes, reason, alternatives }, index) => [
      `${index + 1}. ${library}: ${from} -> ${to}, ${mebibytes(bytes)}: ${reason}`,
      ...alternatives.map((other) => `   not ${other.to}: ${other.rejected}`),
    ]),
    '',
    ...clusters.flatMap((cluster) => [
      `${cluster.name}: ${DIMENSIONS.map((dimension) => `${dimension} ${times(cluster.before[dimension])} -> ${times(cluster.after[dimension])}`).join(', ')}`,
    ]),
    ...stays.map(({ library, reason }) => `${library} stays: ${reason}`),
    '',
  ].join('\n');
}
