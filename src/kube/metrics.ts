import type { HistogramConfiguration } from 'prom-client';
import { Counter, type CounterConfiguration, Gauge, type GaugeConfiguration, Histogram, Registry } from 'prom-client';

export type { Registry } from 'prom-client';

/** A registry that nobody reads: for callers who pass none. */
export const privateRegistry = (): Registry => new Registry();

type Definition<Configuration> = Omit<Configuration, 'registers'>;

/** Several clients and controllers share one registry, so each metric is made once and found again by its name. */
export function counter<Label extends string>(
  registry: Registry,
  definition: Definition<CounterConfiguration<Label>>,
): Counter<Label> {
  const existing = registry.getSingleMetric(definition.name);
  return existing instanceof Counter ? existing : new Counter({ ...definition, registers: [registry] });
}

export function gauge<Label extends string>(
  registry: Registry,
  definition: Definition<GaugeConfiguration<Label>>,
): Gauge<Label> {
  const existing = registry.getSingleMetric(definition.name);
  return existing instanceof Gauge ? existing : new Gauge({ ...definition, registers: [registry] });
}

export function histogram<Label extends string>(
  registry: Registry,
  definition: Definition<HistogramConfiguration<Label>>,
): Histogram<Label> {
  const existing = registry.getSingleMetric(definition.name);
  return existing instanceof Histogram ? existing : new Histogram({ ...definition, registers: [registry] });
}

type Sampler = () => void;
const samplers = new WeakMap<object, Set<Sampler>>();

/**
 * A gauge that is computed when it is read. Each user of the metric adds a sampler that sets its own labels.
 *
 * @returns what takes the sampler away again
 */
export function sampledGauge<Label extends string>(
  registry: Registry,
  definition: Definition<GaugeConfiguration<Label>>,
  sample: (gauge: Gauge<Label>) => void,
): () => void {
  const metric: Gauge<Label> = gauge(registry, {
    ...definition,
    collect() {
      for (const each of samplers.get(this) ?? []) each();
    },
  });
  const all = samplers.get(metric) ?? new Set<Sampler>();
  const own = (): void => sample(metric);
  samplers.set(metric, all.add(own));
  return () => void all.delete(own);
}
