import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asEngineError, EngineError, Panic } from './base/errors.ts';
import { isObject, parseJson, stringifyJson } from './base/json.ts';
import type { Engine } from './engine.ts';
import { refusal } from './routes/auth.ts';
import type { RequestCounters } from './routes/counters.ts';
import { type Fault, Faults } from './routes/faults.ts';
import { type Match, PlainAnswer, Request, type Route, Router } from './routes/router.ts';

/** How long existing connections are served after SIGTERM. Source: measured, S5. */
const DRAIN_MILLISECONDS = 30_000;

/** The REST interface of one peer. */
export class RestServer {
  readonly counters: RequestCounters;
  readonly #engine: Engine;
  readonly #router: Router;
  readonly #faults = new Faults();
  readonly #server: Server;

  constructor(engine: Engine, routes: readonly Route[], counters: RequestCounters) {
    this.#engine = engine;
    this.#router = new Router(routes, engine.settings.version);
    this.counters = counters;
    this.#server = createServer({ keepAliveTimeout: engine.settings.keepAliveSeconds * 1000 }, (raw, response) => {
      void this.#serve(raw, response);
    });
    // Node shuts idle connections on close; the real server lets them run into their keep-alive limit (S5).
    this.#server.closeIdleConnections = () => undefined;
  }

  listen(): Promise<void> {
    const { host, httpPort } = this.#engine.settings;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(httpPort, host, () => resolve());
    });
  }

  /** Stops listening; resolves when the last connection is gone, or after 30 s. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      setTimeout(() => resolve(), DRAIN_MILLISECONDS).unref();
    });
  }

  async #serve(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const url = new URL(raw.url ?? '/', 'http://engine');
    const method = raw.method ?? 'GET';
    if (this.#engine.settings.faults && url.pathname === '/__faults') {
      await this.#serveFaults(raw, response);
      return;
    }
    const fault = this.#faults.take(`${method} ${url.pathname}`);
    if (fault && !(await this.#act(fault, response))) return;
    const match = this.#router.find(method, url.pathname);
    try {
      await this.#handle({ raw, response, url, match, startedAt });
    } catch (error) {
      if (error instanceof Panic) {
        response.destroy();
        return;
      }
      sendError(response, asEngineError(error), startedAt);
    } finally {
      const label = match?.route.path ?? 'unknown';
      const collection = match?.parameters.collection_name;
      this.counters.record({
        method,
        endpoint: label,
        status: response.statusCode,
        seconds: (performance.now() - startedAt) / 1000,
        collection,
      });
    }
  }

  async #handle(io: {
    raw: IncomingMessage;
    response: ServerResponse;
    url: URL;
    match: Match | undefined;
    startedAt: number;
  }): Promise<void> {
    const { raw, response, url, match, startedAt } = io;
    const refused = refusal(this.#engine.settings, match?.route.right ?? 'read', raw.headers);
    if (refused) {
      raw.resume();
      if (refused.json) sendJson(response, refused.status, { status: { error: refused.text }, time: 0 });
      else sendText(response, refused.status, refused.text);
      return;
    }
    if (!match) {
      raw.resume();
      sendText(response, 404, '');
      return;
    }
    const request = new Request(
      this.#engine,
      { raw, response },
      { parameters: match.parameters, query: url.searchParams },
    );
    const result = await match.route.handle(request);
    if (result instanceof PlainAnswer) sendPlain(response, result, startedAt);
    else sendJson(response, 200, { result, status: 'ok', time: elapsed(startedAt) });
  }

  /** Carries out a fault; true when the request shall be served all the same. */
  async #act(fault: Fault, response: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, fault.milliseconds));
        return true;
      case 'cut':
        response.destroy();
        return false;
      case 'nonsense':
        sendText(response, 200, '<html>not what you wanted</html>', 'text/html');
        return false;
      case '429':
        response.setHeader('retry-after', String(Math.ceil(fault.milliseconds / 1000)));
        sendJson(response, 429, { status: { error: 'Rate limiting exceeded: injected fault' }, time: 0 });
        return false;
      case 'error':
        sendJson(response, fault.status, { status: { error: 'Service internal error: injected fault' }, time: 0 });
        return false;
    }
  }

  async #serveFaults(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (raw.method === 'DELETE') this.#faults.clear();
      if (raw.method === 'POST') {
        const chunks: Buffer[] = [];
        for await (const chunk of raw as AsyncIterable<Buffer>) chunks.push(chunk);
        const body = parseJson(Buffer.concat(chunks).toString('utf8'));
        if (!isObject(body)) throw new EngineError('Format', 'expected an object');
        this.#faults.add(body);
      }
      sendJson(response, 200, { result: this.#faults.list(), status: 'ok', time: 0 });
    } catch (error) {
      sendError(response, asEngineError(error), performance.now());
    }
  }
}

const elapsed = (startedAt: number): number => Math.round((performance.now() - startedAt) * 1000) / 1e6;

function sendPlain(response: ServerResponse, answer: PlainAnswer, startedAt: number): void {
  const { plain } = answer;
  if (plain.kind === 'text') sendText(response, plain.status, plain.text, plain.type);
  if (plain.kind === 'json') sendJson(response, 200, plain.value);
  if (plain.kind === 'accepted') sendJson(response, 202, { status: 'accepted', time: elapsed(startedAt) });
}

function sendText(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) return;
  const body = Buffer.from(stringifyJson(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function sendError(response: ServerResponse, error: EngineError, startedAt: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status } = error;
  if (status === 304) {
    response.writeHead(304).end();
    return;
  }
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(error.retryAfterSeconds));
  sendJson(response, status, { status: { error: error.message }, time: elapsed(startedAt) });
}
