import type { ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../src/kube/index.ts';
import { answer, failure, type ScriptedRequest, type ScriptedServer, scriptedServer } from './scripted-server.ts';

type Stored = KubeObject & Record<string, unknown>;
type Event = { readonly plural: string; readonly type: string; readonly object: Stored };

/** A server for objects of any kind, by their plural: enough of one to run a controller, no faults. */
export class ObjectServer {
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #history: Event[] = [];
  #version = 1;
  http: ScriptedServer | undefined;

  static async start(): Promise<ObjectServer & { readonly http: ScriptedServer }> {
    const server = new ObjectServer();
    const http = await scriptedServer((request, response) => server.#serve(request, response));
    return Object.assign(server, { http });
  }

  get<T extends KubeObject>(plural: string, name: string): T | undefined {
    return this.#objects.get(`${plural}/${name}`) as T | undefined;
  }

  /** Creates or merges; a change of anything but the status is a new generation, and no change writes nothing. */
  put<T extends KubeObject>(plural: string, object: T, options: { readonly status?: boolean } = {}): KubeObject {
    const id = `${plural}/${object.metadata.namespace}/${object.metadata.name}`;
    const before = this.#objects.get(id);
    const { metadata: _, ...rest } = object;
    if (before !== undefined && isDeepStrictEqual({ ...before, ...rest }, before)) return before;
    this.#version += 1;
    const metadata = {
      ...before?.metadata,
      ...object.metadata,
      uid: before?.metadata.uid ?? `uid-${this.#version}`,
      generation: (before?.metadata.generation ?? 0) + (options.status === true ? 0 : 1),
      resourceVersion: String(this.#version),
    };
    const stored = { ...before, ...rest, metadata } as Stored;
    this.#objects.set(id, stored);
    const event = { plural, type: before === undefined ? 'ADDED' : 'MODIFIED', object: stored };
    this.#history.push(event);
    for (const [response, watched] of this.#watches) if (watched === plural) tell(response, event);
    return stored;
  }

  #serve(request: ScriptedRequest, response: ServerResponse): void {
    const parts = request.path.replace(/^\/(?:api|apis\/[^/]+)\/[^/]+\//, '').split('/');
    const namespace = parts[0] === 'namespaces' ? parts.splice(0, 2)[1] : undefined;
    const [plural = '', name, subresource] = parts;
    if (request.query.get('watch') === 'true') this.#watch(plural, request.query, response);
    else if (request.method !== 'GET') {
      const object = JSON.parse(request.body) as KubeObject;
      answer(response, 200, this.put(plural, object, { status: subresource === 'status' }));
    } else if (name === undefined) {
      const items = [...this.#objects].filter(([id]) => id.startsWith(`${plural}/`)).map(([, object]) => object);
      answer(response, 200, { metadata: { resourceVersion: String(this.#version) }, items });
    } else {
      const stored = this.#objects.get(`${plural}/${namespace}/${name}`);
      answer(response, stored === undefined ? 404 : 200, stored ?? failure(404, 'NotFound'));
    }
  }

  #watch(plural: string, query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200);
    response.flushHeaders();
    const since = Number(query.get('resourceVersion'));
    for (const event of this.#history) {
      if (event.plural === plural && Number(event.object.metadata.resourceVersion) > since) tell(response, event);
    }
    this.#watches.set(response, plural);
    response.on('close', () => this.#watches.delete(response));
  }
}

const tell = (response: ServerResponse, { type, object }: Event): void =>
  void response.write(`${JSON.stringify({ type, object })}\n`);
