import { createHash } from 'node:crypto';
import { canonical, isObject, type Json, type JsonObject } from '../../../../sandbox/kube/json.ts';
import { type Answer, APPLY, type Api, type Watch } from '../contract/api.ts';
import { Normal } from './normal.ts';

/** A sequence of requests that two servers must answer alike, word for word. */
export type Story = {
  readonly name: string;
  /** Speaks of our kinds: another definition makes another record. */
  readonly ours?: true;
  readonly tell: (teller: Teller) => Promise<void>;
};

export type Line = {
  readonly step: string;
  /** Digest of what was sent: an answer is compared with that to the same request only. */
  readonly asked?: string;
  readonly code: number;
  readonly body: Json;
  readonly warnings?: readonly string[];
};

export type Request = {
  readonly body?: Json;
  readonly type?: string;
  readonly token?: string;
  readonly accept?: string;
  /** The part of the answer that counts; all of it when not given. */
  readonly look?: (body: JsonObject) => Json | undefined;
};

const digest = (value: Json): string => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 8);

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Sends the requests of a story to one server and writes down what it answers. */
export class Teller {
  readonly api: Api;
  readonly namespace: string;
  readonly lines: Line[] = [];
  readonly #normal = new Normal();

  constructor(api: Api, namespace: string) {
    this.api = api;
    this.namespace = namespace;
  }

  core = (rest: string): string => `/api/v1/namespaces/${this.namespace}/${rest}`;
  named = (groupVersion: string, rest: string): string => `/apis/${groupVersion}/namespaces/${this.namespace}/${rest}`;

  /** @param step `METHOD what`: the first word is the method */
  async send(step: string, path: string, { look, ...options }: Request = {}): Promise<Answer> {
    const asked = digest(this.#normal.of(options.body));
    const answer = await this.api.send(step.split(' ')[0] as Method, path, options);
    const seen = look === undefined ? answer.body : look(answer.body);
    const body = isObject(seen) || Array.isArray(seen) ? seen : (seen ?? answer.text.slice(0, 200).trim());
    const warnings = answer.warnings === '' ? [] : answer.warnings.split(';').map((text) => this.#normal.text(text));
    this.lines.push({
      step,
      asked,
      code: answer.code,
      body: this.#normal.of(answer.code >= 400 ? answer.body : body),
      ...(warnings.length === 0 ? {} : { warnings }),
    });
    return answer;
  }

  apply(step: string, path: string, { manager, force = false, body }: Applied): Promise<Answer> {
    return this.send(`PATCH ${step}`, `${path}?fieldManager=${manager}&force=${force}`, { body, type: APPLY });
  }

  /** Writes down something else than an answer. */
  note(step: string, body: Json): void {
    this.lines.push({ step, code: 0, body: this.#normal.of(body) });
  }

  /** Writes down the next events of a watch. */
  async events(step: string, watch: Watch, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const event = await watch.next();
      this.lines.push({
        step: `${step} ${event?.type ?? 'ended'}`,
        code: 0,
        body: this.#normal.of(event?.object ?? null),
      });
      if (event === undefined) return;
    }
  }
}

type Applied = { readonly manager: string; readonly force?: boolean; readonly body: JsonObject };
