import { isObject, type Json, type JsonObject } from '../../../../sandbox/kube/json.ts';

/** Fields whose values no two runs share. */
const VOLATILE = new Set([
  ...['time', 'checksum', 'creation_time', 'size', 'commit', 'term', 'pending_operations'],
  ...['operation_id', 'last_update'],
]);
/** Where a parser stopped. */
const POSITION = / at line \d+ column \d+/g;
const SNAPSHOT = /-(?:\d+|<peer \d+>)-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.snapshot/g;
const SNAPSHOTS = /(?:\/tmp\/qdrant-engine-\w+\/\d+|\.)\/snapshots/g;
const DIRECTORY = /\/tmp\/qdrant-engine-\w+/g;
const LOOPBACK = /127\.\d+\.\d+\.\d+/g;

/** Makes answers of two servers comparable: ids of peers become numbers in the order of their addresses. */
export class Normal {
  readonly #peers: readonly number[];

  constructor(peers: readonly number[]) {
    this.#peers = peers;
  }

  of(value: Json | undefined, key = ''): Json {
    if (Array.isArray(value)) return value.map((item) => this.of(item, key));
    if (isObject(value)) {
      const result: JsonObject = {};
      for (const name of Object.keys(value).toSorted((a, b) => (this.text(a) < this.text(b) ? -1 : 1))) {
        // A vector's size is no volatile one.
        const isFixed = name === 'size' && 'distance' in value;
        const isCounter = name === 'version' && typeof value[name] === 'number';
        if ((!VOLATILE.has(name) || isFixed) && !isCounter) result[this.text(name)] = this.of(value[name], name);
        else result[name] = '<any>';
      }
      return result;
    }
    if (typeof value === 'number') return this.#peer(value) ?? value;
    return typeof value === 'string' ? this.text(value) : (value ?? null);
  }

  #peer(value: number): string | undefined {
    const index = this.#peers.indexOf(value);
    return index < 0 ? undefined : `<peer ${index}>`;
  }

  text(value: string): string {
    const named = this.#peers.reduce((text, id, index) => text.replaceAll(String(id), `<peer ${index}>`), value);
    return named
      .replaceAll(SNAPSHOTS, '<snapshots>')
      .replaceAll(DIRECTORY, '<directory>')
      .replaceAll(POSITION, '')
      .replaceAll(SNAPSHOT, '<snapshot>')
      .replaceAll(LOOPBACK, '<host>');
  }
}
