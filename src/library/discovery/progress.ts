import { type Static, Type } from 'typebox';
import { type Held, parseKept } from '../../migration/index.ts';

/** Keys of the ConfigMap: how far the worker is, and what it came to, for programs and for people. */
export const DISCOVERY_KEYS = { progress: 'progress.json', report: 'report.json', text: 'report.md' } as const;

const text = Type.String({ maxLength: 4096 });
const count = Type.Integer({ minimum: 0 });

const result = Type.Object({
  outcome: Type.Union([Type.Literal('Domains'), Type.Literal('NoDomains'), Type.Literal('TooSmall')]),
  message: text,
  points: count,
  sampled: count,
  domains: Type.Array(Type.Object({ name: text, sharePercent: Type.Number(), points: count }), { maxItems: 256 }),
});
export type DiscoveryResult = Static<typeof result>;

const progress = Type.Object({
  version: Type.Literal(1),
  change: text,
  holder: Type.Object({ id: text, pod: text, beat: count, released: Type.Boolean() }),
  phase: Type.Union([Type.Literal('Running'), Type.Literal('Done')]),
  /** What it is at, in words. */
  step: Type.Optional(text),
  /** Why the last attempt failed. */
  failure: Type.Optional(Type.Object({ reason: text, message: text })),
  result: Type.Optional(result),
});
/** What a discovery's worker says; beside its own ConfigMap it may write nothing in Kubernetes. */
export type DiscoveryProgress = Static<typeof progress>;

export const freshProgress = (change: string, holder: Held['holder']): DiscoveryProgress => ({
  version: 1,
  change,
  holder,
  phase: 'Running',
});

/** @returns undefined for a text that is no progress of this version */
export const parseDiscoveryProgress = (json: string | undefined): DiscoveryProgress | undefined =>
  parseKept(progress, json);
