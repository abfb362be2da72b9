import { type EmbedErrorCode, isEmbedError } from '../embed/index.ts';
import type { Result, ResultReason } from '../progress.ts';
import { SourceError } from '../source/source.ts';

/** A run that ends here, for a reason that has a name. */
export class RunEnd extends Error {
  override readonly name = 'RunEnd';
  readonly reason: ResultReason;
  readonly result: Result;

  constructor(reason: ResultReason, message: string, result: Result = 'Failed') {
    super(message);
    this.reason = reason;
    this.result = result;
  }
}

/** What an error means for the run; undefined for one that nobody foresaw. */
export function runEndOf(error: unknown): RunEnd | undefined {
  if (error instanceof RunEnd) return error;
  if (error instanceof SourceError) return new RunEnd(error.reason, error.message);
  if (!isEmbedError(error)) return undefined;
  if (error.code === 'BudgetUsedUp') return new RunEnd('BudgetUsedUp', error.message, 'Stopped');
  return new RunEnd(reasonOf(error.code), error.message);
}

function reasonOf(code: EmbedErrorCode): ResultReason {
  switch (code) {
    case 'Timeout':
    case 'Unreachable':
    case 'Aborted':
    case 'RateLimited':
    case 'Unavailable':
    case 'Internal':
      return 'EmbedderUnreachable';
    case 'Unauthorized':
    case 'Forbidden':
    case 'QuotaExceeded':
      return 'EmbedderUnauthorized';
    case 'NotFound':
    case 'BadRequest':
    case 'TooLarge':
    case 'EmptyText':
      return 'EmbedderRefused';
    case 'ModelChanged':
      return 'ModelChanged';
    case 'BudgetUsedUp':
      return 'BudgetUsedUp';
    case 'Unexpected':
    case 'WrongCount':
    case 'WrongDimension':
    case 'NotFinite':
    case 'AllZero':
    case 'Constant':
    case 'NotNormalised':
      return 'EmbedderWrong';
  }
}
