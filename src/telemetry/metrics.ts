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
