import { context, type Span, type SpanOptions, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

export type { Attributes, Span, Tracer } from '@opentelemetry/api';
export { SpanKind } from '@opentelemetry/api';

/** A tracer of this name; its spans go nowhere and cost next to nothing until `startTracing` has an endpoint. */
export const tracerOf = (name: string): Tracer => trace.getTracer(name);

/** Whether what runs now is part of a trace. Never so without an endpoint. */
export const insideSpan = (): boolean => trace.getActiveSpan() !== undefined;

/** Runs `work` inside a span: spans that it starts, at whatever depth, are children of this one. */
export async function inSpan<T>(
  tracer: Tracer,
  { name, ...options }: SpanOptions & { readonly name: string },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, options);
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Says in one word what failed: messages may quote what was sent or answered. */
export function markFailed(span: Span, error: unknown): void {
  const word = wordFor(error);
  span.setAttribute('error.type', word);
  span.setStatus({ code: SpanStatusCode.ERROR, message: word });
}

function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return error.name;
}
