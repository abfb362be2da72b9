import { context, propagation } from '@opentelemetry/api';
import { inSpan, insideSpan, markFailed, type Span, SpanKind, tracerOf } from '../telemetry/index.ts';
import type { RequestContext } from './errors.ts';
import { keyText, type ObjectKey } from './objects.ts';
import type { Outcome } from './outcome.ts';
import type { Method } from './transport.ts';
import type { Verdict } from './verdict.ts';

const tracer = tracerOf('kube');

/** What a request does for its trace. */
export type CallTrace = {
  /** Carries the trace on to the server. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Notes the status of an answer, the last one's in the end. */
  readonly answered?: (status: number) => void;
};

/**
 * A span for a request of a pass: who asked for what, and the status of the answer; never what was sent or answered.
 * Requests outside of a trace (caches, the Lease) have none.
 */
export function inCallSpan<T>(
  call: { readonly method: Method; readonly context: RequestContext },
  work: (trace: CallTrace) => Promise<T>,
): Promise<T> {
  if (!insideSpan()) return work({});
  const { verb, resource, target } = call.context;
  const attributes = {
    'http.request.method': call.method,
    'k8s.verb': verb,
    'k8s.resource': resource,
    ...(target === undefined ? {} : { 'k8s.target': target }),
  };
  return inSpan(tracer, { name: `kube ${verb} ${resource}`, kind: SpanKind.CLIENT, attributes }, (span) => {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    let answers = 0;
    const answered = (status: number): void => {
      span.setAttribute('http.response.status_code', status);
      if (answers > 0) span.setAttribute('http.request.resend_count', answers);
      answers += 1;
    };
    return work({ headers, answered });
  });
}

/** A span for one pass over one object: the parent of every request that the pass makes. */
export const inPassSpan = <T>(
  pass: { readonly controller: string; readonly key: ObjectKey; readonly reconcileId: string },
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const { controller, key, reconcileId } = pass;
  const attributes = {
    'reconcile.controller': controller,
    'reconcile.object': keyText(key),
    'reconcile.id': reconcileId,
  };
  return inSpan(tracer, { name: `reconcile ${controller}`, root: true, attributes }, work);
};

/** `done`, `wait` or `stalled`, with the reason where there is one. */
export function noteOutcome(span: Span, outcome: Outcome): void {
  span.setAttribute('reconcile.outcome', outcome.kind);
  if (outcome.kind !== 'done') span.setAttribute('reconcile.reason', outcome.reason);
}

/** `conflict`, `terminal` or `error`. That somebody else wrote first is no failure. */
export function noteFailure(span: Span, error: unknown, { kind }: Verdict): void {
  span.setAttribute('reconcile.outcome', kind);
  if (kind !== 'conflict' && kind !== 'leaving') markFailed(span, error);
}
