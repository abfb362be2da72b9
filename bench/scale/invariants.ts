import type { Measured } from './measure.ts';

/** What must hold on every machine. That everything became Ready is proved by there being figures at all. */
export function brokenInvariants({ clusters, rest }: Measured): string[] {
  const { writes, kinds } = rest.requests;
  if (writes === 0) return [];
  const seen = kinds.map(([kind, count]) => `${count} ${kind}`).join(', ');
  return [`${writes} writes at rest with ${clusters} clusters, of these requests: ${seen}`];
}
