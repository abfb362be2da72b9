import type { Audit, AuditEntry } from '../sandbox/kube/index.ts';

const READS = new Set(['get', 'list', 'watch']);

/**
 * Whether a request asks for a change, no matter whether it made one. A Lease is renewed whatever goes on, and a question
 * about permissions has the verb `create`.
 */
export const isWrite = ({ verb, resource }: Pick<AuditEntry, 'verb' | 'resource'>): boolean =>
  !READS.has(verb) && resource !== 'coordination.k8s.io/leases' && !resource.startsWith('authorization.k8s.io/');

export type Counted = {
  readonly total: number;
  readonly writes: number;
  /** `verb resource` with the answer where it was none of success, largest first. */
  readonly kinds: readonly (readonly [kind: string, count: number])[];
};

/** Counts one user's requests to the API server, phase by phase. A watch counts when it ends. */
export class RequestCount {
  readonly #kinds = new Map<string, number>();
  #total = 0;
  #writes = 0;
  readonly #stop: () => void;

  constructor(audit: Audit, user: string) {
    this.#stop = audit.onRequest((entry) => {
      if (entry.user === user) this.#add(entry);
    });
  }

  #add(entry: AuditEntry): void {
    this.#total += 1;
    if (isWrite(entry)) this.#writes += 1;
    const answer = entry.code >= 200 && entry.code < 300 ? '' : ` (${entry.code})`;
    const kind = `${entry.verb} ${entry.resource}${answer}`;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  /** What was counted since the last call. */
  take(): Counted {
    const counted = {
      total: this.#total,
      writes: this.#writes,
      kinds: [...this.#kinds].toSorted(([, a], [, b]) => b - a),
    };
    this.#kinds.clear();
    this.#total = 0;
    this.#writes = 0;
    return counted;
  }

  stop(): void {
    this.#stop();
  }
}
