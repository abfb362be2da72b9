import { createHash } from 'node:crypto';
import { canonical, isObject, type Json, type JsonObject } from '../../../../sandbox/kube/json.ts';
import type { Peer } from '../peers.ts';
import { Normal } from './normal.ts';

/** Requests that an engine and a real server must answer alike, word for word. */
export type Story = {
  readonly name: string;
  readonly peers: number;
  readonly tell: (teller: Teller) => Promise<void>;
};

export type Line = {
  readonly step: string;
  /** Digest of what was sent: an answer is compared with that to the same request only. */
  readonly asked: string;
  readonly code: number;
  readonly body: Json;
};

/** Which peer it is differs from run to run. */
const PEER = /<peer \d+>/g;
const digest = (value: Json): string =>
  createHash('sha256').update(canonical(value).replaceAll(PEER, '')).digest('hex').slice(0, 8);

type Options = {
  readonly body?: unknown;
  /** Which peer is asked; the first. */
  readonly peer?: number;
  /** The part of the answer that counts. */
  readonly look?: (body: JsonObject) => Json | undefined;
};

export class Teller {
  readonly peers: readonly Peer[];
  readonly ids: readonly number[];
  readonly lines: Line[] = [];
  readonly #normal: Normal;

  constructor(peers: readonly Peer[], ids: readonly number[]) {
    this.peers = peers;
    this.ids = ids;
    this.#normal = new Normal(ids);
  }

  /** @param step `METHOD /path` */
  async send(step: string, { body, peer = 0, look }: Options = {}): Promise<Json> {
    const [method = '', path = ''] = step.split(' ');
    const answer = await this.#peer(peer).call<JsonObject>(method, path, body);
    const given = isObject(answer.body) ? answer.body : answer.text.slice(0, 300);
    const seen = look !== undefined && isObject(given) && answer.status < 400 ? look(given) : given;
    const asked = digest(this.#normal.of((body ?? null) as Json));
    this.lines.push({ step: this.#normal.text(step), asked, code: answer.status, body: this.#normal.of(seen) });
    return answer.body?.['result'] ?? null;
  }

  #peer(index: number): Peer {
    const peer = this.peers[index];
    if (peer === undefined) throw new Error(`no peer ${index}`);
    return peer;
  }
}
