import type { Readable } from 'node:stream';
import type { DomainLibrary, QdrantCluster, VectorizationJob } from '../api/index.ts';
import type { KubeClient, ResourceType, Store } from '../kube/index.ts';
import { parseJson } from '../qdrant/index.ts';
import type { Logger, Registry } from '../telemetry/index.ts';
import { BodyKeeper, type BodyLimits } from './body.ts';
import { Doors } from './doors.ts';
import { GatewayError } from './errors.ts';
import { Libraries, type Library, libraryOf } from './libraries.ts';
import { Listing } from './listing.ts';
import { metricsOf } from './metrics.ts';
import { Passage, type Patience } from './passage.ts';
import { Places } from './places.ts';
import { Room } from './room.ts';
import { type EmbedText, LibrarySearch, type SketchLimits } from './search/index.ts';
import { SecretCache } from './secrets.ts';
import { gatewayServer } from './server.ts';
import { Upstream } from './upstream.ts';

export type GatewayOptions = {
  readonly client: Pick<KubeClient, 'find'>;
  readonly libraryType: ResourceType<DomainLibrary>;
  readonly stores: {
    /** With the index `BY_NAME`. */
    readonly libraries: Store<DomainLibrary>;
    readonly clusters: Store<QdrantCluster>;
    /** With the index `BY_LIBRARY`. */
    readonly jobs: Store<VectorizationJob>;
  };
  /** Makes vectors of texts that are searched. */
  readonly embed: EmbedText;
  readonly sketches: SketchLimits;
  readonly defaultNamespace: string;
  readonly bodies: BodyLimits;
  readonly patience: Patience;
  /** Requests under way at most. */
  readonly most: { readonly reads: number; readonly writes: number; readonly searches: number };
  readonly unready: () => string | undefined;
  readonly metrics: Registry;
  readonly log: Logger;
};

export type Gateway = {
  /** Draws sketches until the signal aborts. */
  sketch(signal: AbortSignal): Promise<void>;
  /** Looks at every library once. */
  sketchNow(signal: AbortSignal): Promise<void>;
  /** @returns the port */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Asks clients to leave; goes on serving. */
  leave(): void;
  /** Takes nothing more, ends what is under way, within the time. */
  close(milliseconds: number): Promise<void>;
};

const ASK_MILLISECONDS = 250;

/** The router in front of all libraries. */
export function createGateway(options: GatewayOptions): Gateway {
  const { stores, client, libraryType, metrics: registry, log, patience, most } = options;
  const stopping = new AbortController();
  const metrics = metricsOf(registry);
  const libraries = new Libraries(stores.libraries);
  const secrets = new SecretCache({ client, now: Date.now });
  const places = new Places(stores.clusters, secrets);
  const upstream = new Upstream(registry);
  const doors = new Doors(libraries, places);
  const asked = new Map<string, { readonly at: number; readonly answer: Promise<Library | undefined> }>();

  /** Past the cache, for all who ask at about the same time. */
  const ask = async (library: Library): Promise<Library | undefined> => {
    const known = asked.get(library.uid);
    if (known !== undefined && performance.now() - known.at < ASK_MILLISECONDS) return known.answer;
    const answer = client.find(libraryType, library.key).then(
      (object) => {
        if (object !== undefined) libraries.learn(object);
        return object === undefined ? undefined : libraryOf(object);
      },
      () => libraries.current(library),
    );
    asked.set(library.uid, { at: performance.now(), answer });
    return answer;
  };

  const passage = new Passage({
    upstream,
    places,
    metrics,
    patience,
    stopping: stopping.signal,
    current: (library) => libraries.current(library),
    ask,
  });
  const searching = new LibrarySearch({
    libraries,
    doors,
    secrets,
    passage,
    jobs: stores.jobs,
    embed: options.embed,
    limits: options.sketches,
    metrics,
    log,
  });
  const bodies = new BodyKeeper(options.bodies);
  let leaving = false;
  const server = gatewayServer({
    defaultNamespace: options.defaultNamespace,
    doors,
    passage,
    listing: new Listing(doors, () => stores.clusters.list().flatMap(({ status }) => status?.version ?? [])),
    bodies,
    rooms: { read: new Room(most.reads), write: new Room(most.writes), search: new Room(most.searches) },
    search: async ({ namespace, key, body, length, signal }) => {
      const asked = await jsonOf(bodies, body, length);
      return searching.answer(namespace, { key, body: asked, signal });
    },
    wrote: (library) => searching.sketches.wrote(library),
    metrics,
    log,
    unready: () => (leaving ? 'stopping' : options.unready()),
    leaving: () => leaving,
  });
  return {
    sketch: (signal) => searching.sketches.run(signal),
    sketchNow: (signal) => searching.sketches.round(signal),
    async listen({ host, port }) {
      await server.listen({ host, port });
      const address = server.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    leave() {
      leaving = true;
    },
    async close(milliseconds) {
      leaving = true;
      const late = setTimeout(() => {
        stopping.abort(new GatewayError('Stopping'));
        server.server.closeAllConnections();
      }, milliseconds);
      await server.close();
      clearTimeout(late);
      stopping.abort(new GatewayError('Stopping'));
      await upstream.close();
    },
  };
}

/** @throws GatewayError for a body that can't be kept, or is not JSON */
async function jsonOf(bodies: BodyKeeper, source: Readable, length: number | undefined): Promise<unknown> {
  const { body, release } = await bodies.take(source, length);
  try {
    if (body.kind === 'stream') throw new GatewayError('BodyTooLarge', 'a search must say its length and be kept');
    return parseJson((body.bytes ?? Buffer.alloc(0)).toString('utf8'));
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('BadRequest', 'the body is not JSON');
  } finally {
    release();
  }
}
