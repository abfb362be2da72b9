import type { Registry } from 'prom-client';
import { type ForwardAnswer, Forwarder, type ForwardRequest, isQdrantError, QdrantError } from '../qdrant/index.ts';
import { type GatewayMetrics, metricsOf } from './metrics.ts';
import type { Place } from './places.ts';

export type Sending = Omit<ForwardRequest, 'apiKey'>;

/** Connections to all clusters. */
export class Upstream {
  /** By CA: most clusters have none of their own. */
  readonly #forwarders = new Map<string, Forwarder>();
  readonly #metrics: GatewayMetrics;

  constructor(registry: Registry) {
    this.#metrics = metricsOf(registry);
  }

  /**
   * Sends a request once, to one of a place's addresses.
   *
   * @throws QdrantError when there was no answer
   */
  async send(place: Place, url: string, request: Sending): Promise<ForwardAnswer> {
    const id = place.ca ?? '';
    const forwarder = this.#forwarders.get(id) ?? new Forwarder(place.ca === undefined ? {} : { ca: place.ca });
    this.#forwarders.set(id, forwarder);
    const { operation } = request;
    try {
      const answer = await forwarder.send(url, { ...request, apiKey: place.apiKey });
      this.#metrics.attempts.inc({ operation, code: String(answer.status) });
      return answer;
    } catch (error) {
      this.#metrics.attempts.inc({ operation, code: isQdrantError(error) ? error.code : 'error' });
      throw error;
    }
  }

  /**
   * Asks for JSON at one address after the other until one answers at all.
   *
   * @throws QdrantError when none does
   */
  async ask(place: Place, request: Sending): Promise<{ status: number; body: unknown; url: string }> {
    let last: unknown;
    for (const url of place.urls) {
      try {
        const { status, body } = await this.send(place, url, request);
        const text = await body.text();
        return { status, body: parsed(text), url };
      } catch (error) {
        if (request.signal.aborted) throw error;
        last = error;
      }
    }
    throw last instanceof QdrantError ? last : new QdrantError(unreached(request.operation, place));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#forwarders.values()].map((forwarder) => forwarder.destroy()));
  }
}

const unreached = (operation: string, { cluster }: Place) =>
  ({ code: 'Unreachable', operation, peer: cluster, message: 'no address answered' }) as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
