import assert from 'node:assert/strict';
import type { Peer, Peers } from '../peers.ts';

/** A started single-peer cluster, and how to end it. */
export type Subject = { readonly peers: Peers; readonly peer: Peer };

export type Points = {
  points: { id: number | string; payload?: object; vector?: unknown; score?: number; shard_key?: string }[];
  next_page_offset: unknown;
};

type Answer = {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly body: { result: unknown; status: { error: string } };
};

/** What a test of the contract does with a server. */
export type World = {
  readonly peer: Peer;
  readonly send: (method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly ok: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  /** Sends, and compares status and error text. */
  readonly refuses: (
    request: [method: string, path: string, body?: unknown],
    status: number,
    text: string | RegExp,
  ) => Promise<void>;
  readonly create: (collection: string, body?: object) => Promise<unknown>;
  readonly upsert: (collection: string, points: object[]) => Promise<unknown>;
};

/** @param subject gives the server once it has started */
export function worldOf(subject: () => Subject): World {
  const send: World['send'] = (method, path, body) => subject().peer.call(method, path, body);
  const ok: World['ok'] = (method, path, body) => subject().peer.ok(method, path, body);
  return {
    get peer() {
      return subject().peer;
    },
    send,
    ok,
    refuses: async (request, status, text) => {
      const answer = await send(...request);
      assert.equal(answer.status, status, answer.text);
      const error = answer.body?.status.error ?? answer.text;
      if (typeof text === 'string') assert.equal(error, text);
      else assert.match(error, text);
    },
    create: (collection, body = {}) =>
      ok('PUT', `/collections/${collection}`, { vectors: { size: 3, distance: 'Cosine' }, ...body }),
    upsert: (collection, points) => ok('PUT', `/collections/${collection}/points?wait=true`, { points }),
  };
}
