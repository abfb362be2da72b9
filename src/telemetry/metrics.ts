import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export type { Registry } from 'prom-client';

/**
 * A registry with the process's own metrics (memory, CPU, event-loop lag) and `qdrant_librarian_build_info`.
 *
 * @param version this program's version, a label of the build metric
 */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'qdrant_librarian_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'] as const,
    registers: [registry],
  }).set({ version, node: process.versions.node }, 1);
  return registry;
}

/** Metrics that are made once for each registry: whoever shares the registry shares them. */
export function oncePerRegistry<Metrics>(create: (registers: Registry[]) => Metrics): (registry: Registry) => Metrics {
  const known = new WeakMap<Registry, Metrics>();
  return (registry) => {
    const metrics = known.get(registry) ?? create([registry]);
    known.set(registry, metrics);
    return metrics;
  };
}

/** The registry's metric of that name, made when there is none: rooms count under the same names, with another `kind`. */
export function registered<Metric>(registry: Registry, name: string, make: (name: string) => Metric): Metric {
  return (registry.getSingleMetric(name) as Metric | undefined) ?? make(name);
}
