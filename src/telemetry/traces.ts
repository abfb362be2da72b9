import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, trace } from '@opentelemetry/api';

/** Stops tracing and sends what is still held, for at most five seconds. Never rejects. */
export type StopTracing = () => Promise<void>;

const STOP_MILLISECONDS = 5_000;

/**
 * Starts exporting spans by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set;
 * otherwise does nothing, and the SDK isn't even loaded.
 *
 * @param serviceName value of `service.name` unless `OTEL_SERVICE_NAME` says otherwise
 * Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
 */
export async function startTracing(serviceName: string, environment: NodeJS.ProcessEnv): Promise<StopTracing> {
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined || endpoint === '') return async () => {};

  const [{ TracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }, hooks, core] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/core'),
    ]);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': environment['OTEL_SERVICE_NAME'] ?? serviceName }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return async () => {
    // A collector that is away keeps nobody from ending.
    const late = new AbortController();
    await Promise.race([
      provider.shutdown().catch(() => undefined),
      sleep(STOP_MILLISECONDS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
  };
}
