import { type Static, Type } from 'typebox';
import { parseKept } from '../../migration/index.ts';
import { type CacheScope, type Canary, compareCanaries, type EmbedClient, takeCanary } from '../embed/index.ts';
import { RunEnd } from './failure.ts';
import type { Patience } from './patience.ts';

const record = Type.Object({
  version: Type.Literal(1),
  /** What the canary was taken of. */
  scope: Type.String({ maxLength: 4096 }),
  /** Run that last embedded everything anew; empty: none did. */
  epoch: Type.String({ maxLength: 128 }),
  canary: Type.Optional(
    Type.Object({ dimensions: Type.Integer(), vectors: Type.Array(Type.String(), { minItems: 1, maxItems: 64 }) }),
  ),
});

/** What is kept from run to run about the model behind the endpoint. */
export type ModelRecord = Static<typeof record>;

export const parseModelRecord = (json: string | undefined): ModelRecord | undefined => parseKept(record, json);

const scopeText = ({ protocol, model, dimensions }: CacheScope): string =>
  JSON.stringify([protocol, model, dimensions ?? null]);

/**
 * The record that a run goes by. Full begins an epoch of its own: no vector from before counts, and its pods share it.
 */
export function recordFor(
  scope: CacheScope,
  kept: ModelRecord | undefined,
  { mode, run }: { readonly mode: string; readonly run: string },
): ModelRecord {
  const base: ModelRecord = { version: 1, scope: scopeText(scope), epoch: kept?.epoch ?? '' };
  if (mode === 'Full' && kept?.epoch !== run) return { ...base, epoch: run };
  if (kept?.scope !== base.scope || kept.canary === undefined) return base;
  return { ...base, canary: kept.canary };
}

/** A ConfigMap holds a megabyte. */
const MOST_CHARACTERS = 300_000;

/** As many of its texts as can be kept; at least one. */
export function bounded({ dimensions, vectors }: Canary): Canary {
  const each = vectors[0]?.length ?? 1;
  return { dimensions, vectors: vectors.slice(0, Math.max(1, Math.floor(MOST_CHARACTERS / each))) };
}

export type ModelCheck = {
  readonly client: EmbedClient;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly kept: Canary | undefined;
  /** Numbers of the target's vectors. */
  readonly dimensions: number;
};

/**
 * Asks the model for the canary texts before anything is stored.
 *
 * @returns what to keep
 * @throws RunEnd when it is another one than before, or its vectors don't fit the target
 */
export async function checkModel({ client, patience, signal, kept, dimensions }: ModelCheck): Promise<Canary> {
  for (;;) {
    let now: Canary;
    try {
      now = bounded(await takeCanary(client, { signal }));
    } catch (error) {
      await patience.wait(error);
      continue;
    }
    patience.passed();
    if (now.dimensions !== dimensions) {
      const message = `the model's vectors have ${now.dimensions} numbers, those of the library ${dimensions}`;
      throw new RunEnd('TargetUnsuitable', message);
    }
    const verdict = kept === undefined ? undefined : compareCanaries(kept, now);
    if (verdict?.same !== false) return kept ?? now;
    throw new RunEnd('ModelChanged', `${client.endpoint}: the model behind it has changed: ${verdict.reason}`);
  }
}
