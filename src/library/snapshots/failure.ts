import type { Reason } from '../reasons.ts';

/** Why a snapshot or a restore came to nothing. `lasting`: another attempt can't help. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly reason: Reason;
  readonly lasting: boolean;

  constructor(reason: Reason, message: string, options: { readonly lasting?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.lasting = options.lasting === true;
  }
}
