import { type Static, Type } from 'typebox';
import { projectionSchema, sideSchema } from './config.ts';
import { checkedConfig, configValue } from './worker-json.ts';

/** What the operator tells a worker that compares what serves with what was left. No secret stands in it. */
const text = Type.String({ minLength: 1, maxLength: 2048 });
const count = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });

const config = Type.Object({
  version: Type.Literal(1),
  task: Type.Literal('reverse'),
  /** `<uid>/<run>`. */
  change: text,
  /** The public name. */
  alias: text,
  progress: Type.Object({ namespace: text, name: text }),
  /** What serves. */
  source: sideSchema,
  /** What a move has left. */
  target: sideSchema,
  projection: projectionSchema,
  /** False: both sides are only compared. */
  write: Type.Boolean(),
  removalPercent: Type.Integer({ minimum: 0, maximum: 100 }),
  leaseSeconds: count,
  lanes: count,
  pageSize: count,
});
export type ReverseConfig = Static<typeof config>;

/** @throws ConfigError naming the field and its rule */
export const parseReverseConfig = (json: string): ReverseConfig => checkedConfig(config, configValue(json));
