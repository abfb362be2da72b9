import { randomUUID } from 'node:crypto';
import { type Logger, silentLogger } from '../telemetry/index.ts';
import type { KubeClient } from './client.ts';
import { type Clock, microTime, systemClock } from './clock.ts';
import { KubeError } from './errors.ts';
import { apiVersionOf, type KubeObject } from './objects.ts';
import { RateBounds } from './rate-bounds.ts';
import { EVENTS } from './resources.ts';
import type { KubeEvent } from './wire.ts';

/** What becomes a Kubernetes event. */
export type Occurrence<Reason extends string = string> = {
  readonly type: 'Normal' | 'Warning';
  /** Why, one CamelCase word. */
  readonly reason: Reason;
  /** What was done, one CamelCase word. */
  readonly action: string;
  /** For people; cut to 1 kB. */
  readonly note: string;
};

export type EventRecorderOptions = {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** Who reports: `example.com/widget-controller`. */
  readonly controller: string;
  /** Which process of it: the pod's name. */
  readonly instance: string;
  readonly clock?: Clock;
  readonly log?: Logger;
};

type Series = {
  readonly event: KubeEvent;
  count: number;
  lastAt: number;
  written: number;
  exists: boolean;
  queued: boolean;
  cancelWrite: () => void;
};

/** A pause this long ends a series. Source: client-go `tools/events` `finishTime`. */
const SERIES_MILLISECONDS = 6 * 60_000;
/** Repeats within this time go out together. */
const GATHER_MILLISECONDS = 10_000;
/** Writes that may wait for a slow server; what comes on top is dropped. */
const MAX_WAITING = 200;
const STOP_MILLISECONDS = 5000;
const MAX_NOTE_BYTES = 1024;
const MAX_WORD = 128;

/**
 * Writes `events.k8s.io/v1` events in the background. The same thing said again becomes a series of one event. It never
 * throws and never waits: an event that can't be written is logged and lost.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #bounds: RateBounds;
  readonly #series = new Map<string, Series>();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  readonly #abort = new AbortController();
  #stopped = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#bounds = new RateBounds();
  }

  record(object: KubeObject, occurrence: Occurrence): void {
    if (this.#stopped) return;
    this.#dropOldSeries();
    const now = this.#clock.now();
    const { type, reason, action } = occurrence;
    const note = cut(occurrence.note, MAX_NOTE_BYTES);
    const owner = object.metadata.uid ?? `${object.metadata.namespace}/${object.metadata.name}`;
    const id = JSON.stringify([owner, type, reason, action, note]);
    const series = this.#series.get(id);
    if (series === undefined) {
      if (!this.#bounds.take(owner, now)) {
        this.#log.debug({ reason, object: object.metadata.name }, 'too many events of one object; dropped');
        return;
      }
      const event = this.#event(object, { ...occurrence, note });
      const begun: Series = {
        ...{ event, count: 1, lastAt: now, written: 0, exists: false, queued: false },
        cancelWrite: () => undefined,
      };
      this.#series.set(id, begun);
      this.#enqueue(begun);
      return;
    }
    series.count += 1;
    series.lastAt = now;
    if (series.count === series.written + 1) {
      series.cancelWrite = this.#clock.after(GATHER_MILLISECONDS, () => this.#enqueue(series));
    }
  }

  /** Resolves when all that was recorded is written, or given up. */
  async flush(): Promise<void> {
    for (const series of this.#series.values()) {
      series.cancelWrite();
      if (series.count > series.written) this.#enqueue(series);
    }
    await this.#tail;
  }

  /** Flushes for at most five seconds, and records nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const cancel = this.#clock.after(STOP_MILLISECONDS, () => this.#abort.abort(new Error('the recorder stops')));
    await this.flush();
    cancel();
  }

  #enqueue(series: Series): void {
    if (series.queued) return;
    if (this.#waiting >= MAX_WAITING) {
      this.#log.warn({ waiting: this.#waiting }, 'events wait too long; dropped');
      series.written = series.count;
      return;
    }
    this.#waiting += 1;
    series.queued = true;
    this.#tail = this.#tail
      .then(() => this.#write(series))
      .catch((error: unknown) => {
        const isLeaving = error instanceof KubeError && error.isNamespaceTerminating;
        this.#log[isLeaving ? 'debug' : 'warn']({ err: error, reason: series.event.reason }, 'event not written');
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  async #write(series: Series): Promise<void> {
    const { client } = this.#options;
    const { count, event } = series;
    series.queued = false;
    if (count === series.written) return;
    series.written = count;
    const { signal } = this.#abort;
    signal.throwIfAborted();
    const repeated = { count, lastObservedTime: microTime(this.#clock.date()) };
    if (!series.exists) {
      await client.create(EVENTS, count === 1 ? event : { ...event, series: repeated }, { signal });
      series.exists = true;
      return;
    }
    const { namespace = '', name } = event.metadata;
    try {
      await client.patch(EVENTS, { namespace, name }, { series: repeated }, { type: 'merge', signal });
    } catch (error) {
      // The server forgets events after an hour.
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
      await client.create(EVENTS, { ...event, series: repeated }, { signal });
    }
  }

  #event(object: KubeObject, occurrence: Occurrence): KubeEvent {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const { controller, instance } = this.#options;
    return {
      apiVersion: apiVersionOf(EVENTS),
      kind: 'Event',
      // Events of objects without a namespace live in `default`. Source: client-go `tools/events`.
      metadata: { namespace: namespace ?? 'default', name: `${name.slice(0, 200)}.${randomUUID().slice(-12)}` },
      eventTime: microTime(this.#clock.date()),
      type: occurrence.type,
      reason: occurrence.reason.slice(0, MAX_WORD),
      action: occurrence.action.slice(0, MAX_WORD),
      note: occurrence.note,
      reportingController: controller,
      reportingInstance: instance.slice(0, MAX_WORD),
      regarding: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    };
  }

  #dropOldSeries(): void {
    const now = this.#clock.now();
    for (const [id, series] of this.#series) {
      if (now - series.lastAt > SERIES_MILLISECONDS && series.count === series.written) this.#series.delete(id);
    }
  }
}

/** At most so many bytes of UTF-8, no character halved. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const end = '…';
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes - Buffer.byteLength(end)));
  return text.slice(0, read) + end;
}
