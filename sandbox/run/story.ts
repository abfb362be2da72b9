import { MODEL } from '../external-embedder.ts';
import type { Sandbox } from '../sandbox.ts';
import { ask } from './chapters/ask.ts';
import { changeGeneration } from './chapters/change-generation.ts';
import { changeInPlace } from './chapters/change-in-place.ts';
import { clusters } from './chapters/clusters.ts';
import { idle } from './chapters/idle.ts';
import { killPeer } from './chapters/kill-peer.ts';
import { libraries } from './chapters/libraries.ts';
import { move } from './chapters/move.ts';
import { readBack } from './chapters/read-back.ts';
import { rebalance } from './chapters/rebalance.ts';
import { rollback } from './chapters/rollback.ts';
import { scaleIn } from './chapters/scale-in.ts';
import { scaleOut } from './chapters/scale-out.ts';
import { vectorize, vectorizeAgain } from './chapters/vectorize.ts';
import type { Facts } from './facts.ts';
import { type Chapter, type Progress, Stage } from './stage.ts';
import { together } from './together.ts';

const CHAPTERS: readonly Chapter[] = [
  clusters,
  libraries,
  vectorize,
  together(vectorizeAgain, ask),
  scaleOut,
  killPeer,
  scaleIn,
  changeInPlace,
  changeGeneration,
  rebalance,
  together(move, rollback),
  readBack,
  idle,
];

/** The main job: what a cluster and a library go through in their life so far, measured on the way. */
export class Story {
  readonly #stage: Stage;

  constructor(sandbox: Sandbox, facts: Facts, signal: AbortSignal) {
    this.#stage = new Stage(sandbox, facts, signal);
  }

  get chapters(): readonly { readonly title: string; readonly run: (progress: Progress) => Promise<void> }[] {
    return CHAPTERS.map(({ title, play }) => ({ title, run: (progress) => play(this.#stage, progress) }));
  }

  /** Processes that are no pods. */
  get pids(): readonly number[] {
    const { external, embedder } = this.#stage;
    return [external, embedder].flatMap((process) => (process === undefined ? [] : [process.pid]));
  }

  /** Address and model of the embedder; undefined before it was started. */
  get embedder(): { readonly url: string; readonly model: string } | undefined {
    const { embedder } = this.#stage;
    return embedder === undefined ? undefined : { url: embedder.url, model: MODEL };
  }

  /** Ends what the story itself started. */
  close(): Promise<void> {
    return this.#stage.close();
  }
}
