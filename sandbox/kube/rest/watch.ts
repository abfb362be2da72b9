import type { ServerResponse } from 'node:http';
import { isTrue } from '../access/request-info.ts';
import type { JsonObject } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Call } from '../state.ts';
import { expired, invalidOptions, StatusError, statusObject } from '../status.ts';
import type { Change } from '../store.ts';
import { groupVersion } from '../types/resource.ts';
import { present, wantsTable } from '../view/represent.ts';
import { integer } from './options.ts';
import { isSelected, namespaceOf, type Selection, selectionOf, wrongVersion } from './read.ts';

/** A reader this far behind is cut off; it resumes from its last resourceVersion. */
const MOST_PENDING_BYTES = 64 * 1024 * 1024;
const LONGEST_SECONDS = 3600;

/** An open watch, to be ended from outside. */
export type OpenWatch = {
  readonly call: Call;
  /** Cuts the connection, with an ERROR event before when one is given. */
  end(error?: StatusError): void;
};

type Event = { readonly type: string; readonly object: ApiObject };

/** The event as a watch with these selectors sees it: an object that enters is ADDED, one that leaves is DELETED. */
function eventFor(call: Call, change: Change, selection: Selection): Event | undefined {
  const namespace = namespaceOf(call);
  if (namespace !== undefined && change.object.metadata.namespace !== namespace) return undefined;
  const object = call.resource.fromStored(change.object);
  const is = change.kind !== 'DELETED' && isSelected(object, selection);
  const was = change.previous !== undefined && isSelected(call.resource.fromStored(change.previous), selection);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  return was ? { type: 'DELETED', object: leaving(call, change, object) } : undefined;
}

/** An object that no longer matches is shown as it was, at the revision of the change. */
function leaving(call: Call, change: Change, object: ApiObject): ApiObject {
  if (change.kind === 'DELETED' || change.previous === undefined) return object;
  const before = call.resource.fromStored(change.previous);
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(change.revision) } };
}

type Start = { readonly initial: readonly ApiObject[]; readonly changes: readonly Change[] };

function startOf(call: Call, selection: Selection, sendInitial: boolean): Start {
  const { store } = call.state;
  const { storedAs } = call.resource;
  const revision = integer(call, 'resourceVersion') ?? 0;
  if (revision === 0 || sendInitial) {
    const objects = store.list(storedAs, namespaceOf(call)).map(call.resource.fromStored);
    return { initial: objects.filter((object) => isSelected(object, selection)), changes: [] };
  }
  const changes = store.changesAfter(storedAs, revision);
  if (changes === undefined) throw expired(`too old resource version: ${revision} (${store.compactedRevision})`);
  return { initial: [], changes };
}

function wantsInitial(call: Call): boolean {
  if (!isTrue(call.query.get('sendInitialEvents'))) return false;
  if (call.query.get('resourceVersionMatch') === 'NotOlderThan') return true;
  const message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  throw invalidOptions('ListOptions', { field: 'resourceVersionMatch', type: 'FieldValueForbidden', message });
}

/**
 * Streams the changes of a type to a client until it goes, its time is over, or the watch is ended from outside.
 *
 * @returns the open watch; undefined when it ended at once with an ERROR event
 */
export function watch(call: Call, response: ServerResponse, onEnd: () => void): OpenWatch | undefined {
  const selection = selectionOf(call);
  const sendInitial = wantsInitial(call);
  const version = call.query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(version)) throw new StatusError(500, '', wrongVersion(version));
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const stream = new EventStream(call, response);
  let start: Start;
  try {
    start = startOf(call, selection, sendInitial);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    stream.error(error);
    return undefined;
  }
  const { store, bookmarkMilliseconds } = call.state;
  for (const object of start.initial) stream.send({ type: 'ADDED', object });
  for (const change of start.changes) stream.forward(eventFor(call, change, selection));
  const bookmarks = isTrue(call.query.get('allowWatchBookmarks'));
  if (sendInitial && bookmarks) stream.bookmark(store.revision, { 'k8s.io/initial-events-end': 'true' });
  const unsubscribe = store.subscribe(call.resource.storedAs, (change) =>
    stream.forward(eventFor(call, change, selection)),
  );
  const beat = bookmarks ? setInterval(() => stream.bookmark(store.revision), bookmarkMilliseconds) : undefined;
  const seconds = Math.min(integer(call, 'timeoutSeconds') || LONGEST_SECONDS, LONGEST_SECONDS);
  const limit = setTimeout(() => stream.close(), seconds * 1000);
  response.once('close', () => {
    unsubscribe();
    clearInterval(beat);
    clearTimeout(limit);
    onEnd();
  });
  return {
    call,
    end: (error) => {
      if (error === undefined) response.destroy();
      else stream.error(error);
    },
  };
}

class EventStream {
  readonly #call: Call;
  readonly #response: ServerResponse;

  constructor(call: Call, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
  }

  #write(type: string, object: JsonObject): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(`${JSON.stringify({ type, object })}\n`);
    if (this.#response.writableLength > MOST_PENDING_BYTES) this.#response.destroy();
  }

  send({ type, object }: Event): void {
    this.#write(type, present(this.#call, object));
  }

  forward(event: Event | undefined): void {
    if (event !== undefined) this.send(event);
  }

  bookmark(revision: number, annotations?: { [key: string]: string }): void {
    const { resource } = this.#call;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    };
    const object = wantsTable(this.#call)
      ? {
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: [],
          rows: [],
        }
      : { kind: resource.kind, apiVersion: groupVersion(resource), metadata };
    this.#write('BOOKMARK', object);
  }

  error(error: StatusError): void {
    this.#write('ERROR', statusObject(error));
    this.close();
  }

  close(): void {
    this.#response.end();
  }
}
