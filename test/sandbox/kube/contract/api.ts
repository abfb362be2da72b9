import { Agent, request } from 'undici';
import { isObject, type Json, type JsonObject } from '../../../../sandbox/kube/json.ts';

/** The server under contract: the embedded one, or a real kube-apiserver. */
export type Target = {
  readonly url: string;
  /** CA of the server, '' for plain HTTP. */
  readonly caPem: string;
  /** Token of a user who may do everything. */
  readonly token: string;
  /** Makes old resource versions expire; absent when the server can't be told to. */
  readonly compact?: () => void | Promise<void>;
};

export type Answer = {
  readonly code: number;
  readonly body: JsonObject;
  readonly text: string;
  readonly warnings: string;
};

type Options = {
  readonly body?: Json;
  readonly type?: string;
  readonly token?: string;
  readonly accept?: string;
};

export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const APPLY = 'application/apply-patch+yaml';

export type WatchEvent = { readonly type: string; readonly object: JsonObject };

/** Plain requests, as the wire carries them. */
export class Api {
  readonly #target: Target;
  readonly #agent: Agent;

  constructor(target: Target) {
    this.#target = target;
    this.#agent = new Agent(target.caPem === '' ? {} : { connect: { ca: target.caPem } });
  }

  async send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: Options = {},
  ): Promise<Answer> {
    const { body, type = 'application/json', token = this.#target.token, accept = 'application/json' } = options;
    const answer = await request(this.#target.url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        accept,
        'user-agent': 'contract/1.0',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const isJson = text.startsWith('{');
    const parsed: unknown = isJson ? JSON.parse(text) : {};
    const warning = answer.headers['warning'];
    return {
      code: answer.statusCode,
      text,
      body: isObject(parsed) ? parsed : {},
      warnings: [warning].flat().join(';'),
    };
  }

  get = (path: string, options?: Options): Promise<Answer> => this.send('GET', path, options);
  post = (path: string, body: Json, options?: Options): Promise<Answer> =>
    this.send('POST', path, { ...options, body });
  put = (path: string, body: Json, options?: Options): Promise<Answer> => this.send('PUT', path, { ...options, body });
  delete = (path: string, body?: Json): Promise<Answer> =>
    this.send('DELETE', path, body === undefined ? {} : { body });
  patch = (path: string, body: Json, type = MERGE): Promise<Answer> => this.send('PATCH', path, { body, type });
  apply = (path: string, body: JsonObject, manager: string, force = false): Promise<Answer> =>
    this.send('PATCH', `${path}?fieldManager=${manager}&force=${force}`, { body, type: APPLY });

  /** Opens a watch; the caller must close it. */
  async watch(path: string): Promise<Watch> {
    const abort = new AbortController();
    const { body, statusCode } = await request(this.#target.url + path, {
      dispatcher: this.#agent,
      signal: abort.signal,
      headers: { authorization: `Bearer ${this.#target.token}` },
      bodyTimeout: 0,
    });
    if (statusCode !== 200) throw new Error(`watch answered ${statusCode}: ${await body.text()}`);
    return new Watch(body, abort);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

export class Watch {
  readonly #abort: AbortController;
  readonly #events: AsyncGenerator<WatchEvent, void>;

  constructor(body: AsyncIterable<Buffer>, abort: AbortController) {
    this.#abort = abort;
    this.#events = lines(body);
  }

  /** The next event; undefined when the watch has ended. */
  async next(): Promise<WatchEvent | undefined> {
    const result = await this.#events.next();
    return result.done === true ? undefined : result.value;
  }

  close(): void {
    this.#abort.abort();
  }
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent, void> {
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield JSON.parse(part) as WatchEvent;
  }
}
