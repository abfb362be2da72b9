import type { Step } from '../plan.ts';
import type { Section } from '../shape.ts';

/** A change in place that may have been sent before. */
export type Attempt = {
  /** Under it the digest of `content` is remembered. */
  readonly note: string;
  readonly step: Step;
  readonly what: string;
  readonly content: Section;
};
