import type { PointId } from '../../qdrant/index.ts';

/** What can be wrong with a point, seen against its chunk. */
export const DEFECTS = [
  /** A chunk has no point. */
  'missing',
  /** The point is of another text or revision. */
  'outdated',
  /** Its payload isn't what was written. */
  'altered',
  /** Its vector is absent, of a wrong length, not finite or all zero. */
  'badVector',
  /** No chunk belongs to it any more. */
  'orphan',
] as const;
export type Defect = (typeof DEFECTS)[number];

export type Finding = { readonly defect: Defect; readonly document: string; readonly id: string };

const MOST = 100;

/** Counts all, and names the first ones of each kind. */
export class Findings {
  readonly #counts = new Map<Defect, number>();
  readonly #named: Finding[] = [];

  add(defect: Defect, document: string, id: PointId): void {
    const count = (this.#counts.get(defect) ?? 0) + 1;
    this.#counts.set(defect, count);
    if (count <= MOST) this.#named.push({ defect, document, id: String(id) });
  }

  /** Orphans that are counted only. */
  count(defect: Defect, more: number): void {
    this.#counts.set(defect, this.of(defect) + more);
  }

  of(defect: Defect): number {
    return this.#counts.get(defect) ?? 0;
  }

  get named(): readonly Finding[] {
    return this.#named;
  }
}
