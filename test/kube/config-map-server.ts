import type { ServerResponse } from 'node:http';
import type { ConfigMap } from '../../src/kube/index.ts';
import { answer, failure, type ScriptedServer, scriptedServer } from './scripted-server.ts';

type Event = { readonly version: number; readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ConfigMap };
type Watch = { readonly response: ServerResponse };

/** A server that knows ConfigMaps of one namespace: list with pages, watch, compaction and faults. */
export class ConfigMapServer {
  readonly #objects = new Map<string, ConfigMap>();
  readonly #watches = new Set<Watch>();
  #events: Event[] = [];
  #version = 100;
  #compacted = 100;
  #uids = 0;
  /** Answers the next requests instead of the server; taken from the front. */
  readonly faults: ((response: ServerResponse) => void)[] = [];
  lists = 0;
  watchesBegun = 0;
  http: ScriptedServer | undefined;

  static async start(): Promise<ConfigMapServer & { readonly http: ScriptedServer }> {
    const server = new ConfigMapServer();
    const http = await scriptedServer((request, response) => {
      const fault = server.faults.shift();
      if (fault !== undefined) fault(response);
      else if (request.query.get('watch') === 'true') server.#watch(request.query, response);
      else server.#list(request.query, response);
    });
    return Object.assign(server, { http });
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get version(): string {
    return String(this.#version);
  }

  names(): string[] {
    return [...this.#objects.keys()].toSorted();
  }

  /** name -> version of every object, as a store should show it. */
  versions(): Record<string, string | undefined> {
    return Object.fromEntries([...this.#objects].map(([name, { metadata }]) => [name, metadata.resourceVersion]));
  }

  put(name: string, data: Record<string, string> = {}): void {
    this.#version += 1;
    const existing = this.#objects.get(name);
    this.#uids += existing === undefined ? 1 : 0;
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'ns',
        uid: existing?.metadata.uid ?? `uid-${this.#uids}`,
        resourceVersion: String(this.#version),
        managedFields: [{ manager: 'someone' }],
      },
      data,
    };
    this.#objects.set(name, object);
    this.#tell({ version: this.#version, type: existing === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  remove(name: string): void {
    const object = this.#objects.get(name);
    if (object === undefined) return;
    this.#version += 1;
    this.#objects.delete(name);
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#tell({ version: this.#version, type: 'DELETED', object: { ...object, metadata } });
  }

  bookmark(): void {
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) } };
    for (const { response } of this.#watches) write(response, { type: 'BOOKMARK', object });
  }

  /** Forgets all history: a watch from before now answers 410. */
  compact(): void {
    this.#compacted = this.#version;
    this.#events = [];
  }

  error(code: number, reason: string): void {
    for (const { response } of this.#watches) {
      write(response, { type: 'ERROR', object: failure(code, reason) });
      response.end();
    }
    this.#watches.clear();
  }

  write(line: string): void {
    for (const { response } of this.#watches) response.write(`${line}\n`);
  }

  endWatches(): void {
    for (const { response } of this.#watches) response.end();
    this.#watches.clear();
  }

  cut(): void {
    for (const { response } of this.#watches) response.destroy();
    this.#watches.clear();
  }

  #tell(event: Event): void {
    this.#events.push(event);
    for (const { response } of this.#watches) write(response, event);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    this.lists += 1;
    const limit = Number(query.get('limit'));
    const [version, from] = (query.get('continue') ?? `${this.#version}:0`).split(':').map(Number) as [number, number];
    if (version < this.#compacted) {
      answer(response, 410, failure(410, 'Expired'));
      return;
    }
    const items = [...this.#objects.values()];
    const rest = from + limit < items.length ? `${version}:${from + limit}` : undefined;
    const bare = items.slice(from, from + limit).map(({ metadata, data }) => ({ metadata, data }));
    const listMetadata = { resourceVersion: String(version), ...(rest === undefined ? {} : { continue: rest }) };
    answer(response, 200, { apiVersion: 'v1', kind: 'ConfigMapList', metadata: listMetadata, items: bare });
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    this.watchesBegun += 1;
    const version = Number(query.get('resourceVersion'));
    if (version < this.#compacted) {
      answer(response, 410, failure(410, 'Expired'));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const event of this.#events) if (event.version > version) write(response, event);
    const watch = { response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
  }
}

const write = (response: ServerResponse, event: unknown): void => void response.write(`${JSON.stringify(event)}\n`);
