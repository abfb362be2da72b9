import { EngineError } from '../base/errors.ts';
import { type JsonObject, maybeCount, maybeString, stringOf } from '../base/json.ts';

const KINDS = ['slow', 'error', 'cut', 'nonsense', '429'] as const;
export type FaultKind = (typeof KINDS)[number];

/** What the engine shall do wrong, `count` times, to requests whose `METHOD /path` matches. */
export type Fault = {
  readonly match: string;
  readonly kind: FaultKind;
  remaining: number;
  readonly status: number;
  readonly milliseconds: number;
};

/** Faults that a test asked for. */
export class Faults {
  #faults: Fault[] = [];

  add(body: JsonObject): Fault {
    const kind = KINDS.find((name) => name === body.kind);
    if (kind === undefined) throw new EngineError('Format', `kind must be one of ${KINDS.join(', ')}`);
    const match = stringOf(body, 'match');
    const fault = {
      match,
      kind,
      remaining: maybeCount(body, 'count', 1) ?? 1,
      status: maybeCount(body, 'status') ?? 500,
      milliseconds: maybeCount(body, 'milliseconds') ?? 1000,
    };
    maybeString(body, 'comment');
    this.#faults.push(fault);
    return fault;
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault for a request such as `PUT /collections/x`, which uses it up by one. */
  take(request: string): Fault | undefined {
    const fault = this.#faults.find(({ match }) => new RegExp(match).test(request));
    if (!fault) return undefined;
    fault.remaining -= 1;
    if (fault.remaining <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }
}
