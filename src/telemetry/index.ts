export { closeAll } from './closing.ts';
export { type HealthCheck, type HealthServer, startHealthServer } from './health-server.ts';
export { createLogger, type Logger, silentLogger } from './log.ts';
export { createRegistry, oncePerRegistry, type Registry, registered } from './metrics.ts';
export { inSpan, insideSpan, markFailed, type Span, SpanKind, type Tracer, tracerOf } from './spans.ts';
export { type StopTracing, startTracing } from './traces.ts';
