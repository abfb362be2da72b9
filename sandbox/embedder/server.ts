import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, FaultPlan, spoiled } from './faults.ts';
import { countTokens, ENDPOINTS, information, type Job, type Model, type Reply } from './protocols.ts';

export type EmbedderOptions = {
  readonly host?: string;
  /** 0 = any free one. */
  readonly port?: number;
  readonly model?: string;
  readonly dimensions?: number;
  readonly apiKey?: string;
  /** Texts of a request; only TEI's protocol refuses more. */
  readonly maxBatch?: number;
  /** Words of a text. */
  readonly maxTokens?: number;
  readonly maxBodyBytes?: number;
  /** How long a request takes, in milliseconds. */
  readonly latency?: (texts: readonly string[]) => number;
  /** Requests embedded at a time; the others wait. */
  readonly parallel?: number;
};

/** What was asked for and given until now. */
export type Served = {
  /** Requests to embed. */
  requests: number;
  tokens: number;
  /** Most of them under way at once. */
  mostAtOnce: number;
  /** How often a text's right vector went out in a whole answer. */
  readonly texts: Map<string, number>;
};

/** What is told at /served. */
export type ServedSummary = {
  readonly requests: number;
  readonly tokens: number;
  /** Different texts whose vector went out. */
  readonly texts: number;
  /** How often the vector of a text went out that had gone out before. */
  readonly repeated: number;
};

export const summaryOf = ({ requests, tokens, texts }: Served): ServedSummary => ({
  requests,
  tokens,
  texts: texts.size,
  repeated: [...texts.values()].reduce((sum, times) => sum + times - 1, 0),
});

export type EmbedderServer = {
  readonly url: string;
  readonly faults: FaultPlan;
  readonly served: Served;
  stop(): Promise<void>;
};

const DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  model: 'hashing',
  dimensions: 64,
  maxBatch: 32,
  maxTokens: 512,
  maxBodyBytes: 8 * 1024 * 1024,
};

const NAN = '@@not-a-number@@';

/**
 * The hashing embedder behind the protocols of Ollama, OpenAI, TEI and Gemini. `POST /faults` plans faults, `DELETE
 * /faults` forgets them, `GET /served` tells what went out.
 */
export async function startEmbedder(options: EmbedderOptions = {}): Promise<EmbedderServer> {
  const { host, port, model, dimensions, maxBatch, maxTokens, maxBodyBytes } = { ...DEFAULTS, ...options };
  const about: Model = { name: model, dimensions, maxBatch, maxTokens, apiKey: options.apiKey };
  const faults = new FaultPlan();
  const served: Served = { requests: 0, tokens: 0, mostAtOnce: 0, texts: new Map() };
  const turns = new Turns(options.parallel ?? Number.POSITIVE_INFINITY);
  let atOnce = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const told = information(path, about);
    const endpoint = ENDPOINTS.find((candidate) => candidate.path.test(path));
    if (path === '/healthz') return send(response, { status: 200, body: 'ok' });
    if (path === '/served') return send(response, { status: 200, body: summaryOf(served) });
    if (path === '/faults' && request.method === 'DELETE') {
      faults.clear();
      return send(response, { status: 200, body: {} });
    }
    const sent = await read(request, maxBodyBytes);
    if (sent === undefined) return send(response, { status: 413, body: { error: 'Payload Too Large' } });
    if (path === '/faults' && request.method === 'POST') {
      const { times, ...fault } = JSON.parse(sent) as Fault & { times?: number };
      faults.add(fault as Fault, times === undefined ? {} : { times });
      return send(response, { status: 200, body: {} });
    }
    if (told !== undefined) return send(response, told);
    if (endpoint === undefined) return send(response, { status: 404, body: { error: 'not found' } });
    if (about.apiKey !== undefined && endpoint.key(request.headers) !== about.apiKey) {
      return send(response, endpoint.unauthorized);
    }
    const job = endpoint.handle(JSON.parse(sent) as Record<string, unknown>, about);
    served.requests += 1;
    if ('status' in job) return send(response, job);
    const fault = faults.take(job.texts);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'status') return send(response, refusal(fault, sent, request));
    await turns.take(() => sleep(options.latency?.(job.texts) ?? 0));
    finish(response, job, fault, served);
  };

  const server = createServer((request, response) => {
    atOnce += 1;
    served.mostAtOnce = Math.max(served.mostAtOnce, atOnce);
    response.once('close', () => {
      atOnce -= 1;
    });
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    faults,
    served,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function finish(response: ServerResponse, job: Job, fault: Fault | undefined, served: Served): void {
  const vectors = spoiled(job.vectors, fault);
  const reply = job.answer(vectors);
  const text = fault?.kind === 'nan' ? pythonJson(reply.body) : JSON.stringify(reply.body);
  const headers = { 'content-type': 'application/json', ...reply.headers };
  if (fault?.kind === 'notJson') return void response.writeHead(200, headers).end('<html>welcome</html>');
  if (fault?.kind === 'cut') {
    response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.write(text.slice(0, text.length / 2), () => response.destroy());
    return;
  }
  if (response.destroyed) return;
  response.writeHead(200, headers).end(text);
  for (const [index, sent] of job.texts.entries()) {
    if (vectors.length !== job.texts.length || !equal(vectors[index], job.vectors[index])) continue;
    served.texts.set(sent, (served.texts.get(sent) ?? 0) + 1);
    served.tokens += countTokens(sent);
  }
}

function refusal(fault: Fault & { kind: 'status' }, sent: string, { headers }: IncomingMessage): Reply {
  const echoed = fault.echo === true ? `bad input ${sent} of ${JSON.stringify(headers)}` : undefined;
  return {
    status: fault.status,
    body: fault.body ?? { error: echoed ?? 'as planned' },
    ...(fault.retryAfter === undefined ? {} : { headers: { 'retry-after': fault.retryAfter } }),
  };
}

const equal = (a: readonly number[] | undefined, b: readonly number[] | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((value, index) => value === b[index]);

/** As Python writes it: NaN by its name. The base64 form carries it as it is. */
function pythonJson(body: unknown): string {
  const named = JSON.stringify(body, (_key, value: unknown) => (Number.isNaN(value) ? NAN : value));
  return named.replaceAll(`"${NAN}"`, 'NaN');
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

async function read(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= maxBytes) parts.push(part);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(parts).toString('utf8');
}

/** So many at a time, the others in their order. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async take(work: () => Promise<unknown>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
