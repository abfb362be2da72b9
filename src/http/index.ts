export { type Deadline, startDeadline } from './deadline.ts';
export { faultCode } from './fault-code.ts';
export { parseRetryAfter, type RetryOptions, type Wait, waitBefore } from './retry.ts';
