import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';

/** Where the fields of one document stand: path in segments -> offset in the text. */
export type Positions = { readonly start: number; readonly fields: ReadonlyMap<string, number> };

type Frame = { readonly path: readonly string[]; readonly isMap: boolean; key: string | undefined; count: number };

const SEPARATOR = '\u0000';
const join = (path: readonly string[]): string => path.join(SEPARATOR);

/** `spec.vectors[0].size` -> spec, vectors, 0, size. */
const segments = (path: string): string[] =>
  (path.match(/[^.[\]]+|\[[^\]]*\]/g) ?? []).map((part) => (part.startsWith('[') ? part.slice(1, -1) : part));

const startOf = (event: Event): number => {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return event.valueStart;
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return -1;
  }
};

class Walk {
  readonly documents: { start: number; fields: Map<string, number> }[] = [];
  readonly #source: string;
  readonly #stack: (Frame | undefined)[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  take(event: Event): void {
    if (event.type === EVENT_ID.DOCUMENT) {
      this.documents.push({ start: -1, fields: new Map() });
      this.#stack.push(undefined);
    } else if (event.type === EVENT_ID.POP) {
      this.#stack.pop();
    } else {
      this.#node(event);
    }
  }

  #node(event: Event): void {
    const parent = this.#stack.at(-1);
    const isKey = parent?.isMap === true && parent.key === undefined;
    const start = startOf(event);
    if (isKey) {
      parent.key = event.type === EVENT_ID.SCALAR ? getScalarValue(this.#source, event) : '?';
      this.#note([...parent.path, parent.key], start);
      if (event.type === EVENT_ID.SCALAR || event.type === EVENT_ID.ALIAS) return;
    }
    const path =
      parent === undefined ? [] : [...parent.path, parent.isMap ? (parent.key ?? '?') : String(parent.count++)];
    if (!isKey && parent?.isMap !== true) this.#note(path, start);
    if (!isKey && parent?.isMap === true) parent.key = undefined;
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      this.#stack.push({ path, isMap: event.type === EVENT_ID.MAPPING, key: undefined, count: 0 });
    }
  }

  #note(path: readonly string[], offset: number): void {
    const document = this.documents.at(-1);
    if (document === undefined) return;
    if (path.length === 0) document.start = offset;
    else document.fields.set(join(path), offset);
  }
}

/** Positions of every document of a YAML stream, in order. */
export function positionsOf(source: string, events: readonly Event[]): Positions[] {
  const walk = new Walk(source);
  for (const event of events) walk.take(event);
  return walk.documents;
}

/** The offset of a field, or of the nearest thing around it that is written down. */
export function offsetOf({ start, fields }: Positions, path: string): number {
  const parts = segments(path);
  for (let length = parts.length; length > 0; length--) {
    const offset = fields.get(join(parts.slice(0, length)));
    if (offset !== undefined && offset >= 0) return offset;
  }
  return Math.max(0, start);
}

/** Line of an offset, from 1. */
export const lineAt = (source: string, offset: number): number => source.slice(0, offset).split('\n').length;
