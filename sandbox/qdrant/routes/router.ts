import type { IncomingMessage, ServerResponse } from 'node:http';
import { EngineError } from '../base/errors.ts';
import { type Json, type JsonObject, objectOf, parseJson } from '../base/json.ts';
import type { Engine } from '../engine.ts';

/** What a key must allow: `read` is enough with the read-only key; `open` needs no key. */
export type Right = 'open' | 'read' | 'write';

export class Request {
  readonly engine: Engine;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  #bytes: Promise<Buffer> | undefined;

  constructor(
    engine: Engine,
    io: { raw: IncomingMessage; response: ServerResponse },
    route: { parameters: Record<string, string>; query: URLSearchParams },
  ) {
    this.engine = engine;
    this.raw = io.raw;
    this.response = io.response;
    this.parameters = route.parameters;
    this.query = route.query;
  }

  parameter(name: string): string {
    return this.parameters[name] ?? '';
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.query.get(name);
    if (value === null) return fallback;
    if (value !== 'true' && value !== 'false') {
      throw new EngineError('Query', 'provided string was not `true` or `false`');
    }
    return value === 'true';
  }

  /** `?timeout=` in milliseconds. */
  get timeoutMs(): number | undefined {
    const value = this.query.get('timeout');
    return value === null ? undefined : Math.max(1, Number(value)) * 1000;
  }

  /** The whole body; read once. */
  bytes(limit = this.engine.settings.maxRequestBytes): Promise<Buffer> {
    this.#bytes ??= readBody(this.raw, limit);
    return this.#bytes;
  }

  async body(options: { doubles?: boolean } = {}): Promise<JsonObject> {
    return objectOf(await this.json(options));
  }

  async json(options: { doubles?: boolean } = {}): Promise<Json> {
    const text = (await this.bytes()).toString('utf8');
    try {
      return parseJson(text, options);
    } catch (error) {
      throw new EngineError('Format', error instanceof Error ? error.message : 'no JSON');
    }
  }
}

async function readBody(raw: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new EngineError(
        'BadRequest',
        `JSON payload (${size} bytes) is larger than allowed (limit: ${limit} bytes).`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Answers that are not `{result, status, time}`. */
export type Plain =
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly type?: string }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'accepted' }
  /** The handler has written the response itself. */
  | { readonly kind: 'sent' };

export class PlainAnswer {
  readonly plain: Plain;
  constructor(plain: Plain) {
    this.plain = plain;
  }
}

export const accepted = (): PlainAnswer => new PlainAnswer({ kind: 'accepted' });
export const plainText = (status: number, text: string): PlainAnswer => new PlainAnswer({ kind: 'text', status, text });

export type Route = {
  readonly method: string;
  /** `/collections/{collection_name}`; also the label in metrics. */
  readonly path: string;
  readonly right: Right;
  /** Minor version of Qdrant 1 that has it first; older ones answer 404. */
  readonly since?: number;
  readonly handle: (request: Request) => unknown;
};

type Compiled = Route & { readonly pattern: RegExp; readonly names: readonly string[] };
export type Match = { readonly route: Route; readonly parameters: Record<string, string> };

/** Finds routes by method and path. */
export class Router {
  readonly #routes: readonly Compiled[];

  /** @param version of the server that is played, like `1.18.3` */
  constructor(routes: readonly Route[], version: string) {
    const minor = Number(version.split('.')[1]);
    const known = routes.filter(({ since = 0 }) => minor >= since);
    this.#routes = known.map((route) => {
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '');
      const pattern = new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '([^/]+)')}/?$`);
      return { ...route, pattern, names };
    });
  }

  find(method: string, path: string): Match | undefined {
    for (const route of this.#routes) {
      if (route.method !== method) continue;
      const found = route.pattern.exec(path);
      if (!found) continue;
      const parameters = Object.fromEntries(
        route.names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]),
      );
      return { route, parameters };
    }
    return undefined;
  }
}
