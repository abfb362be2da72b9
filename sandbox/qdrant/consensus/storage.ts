import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from '../state/operations.ts';
import { type ClusterState, emptyState, type PeerId } from '../state/types.ts';

export type Entry = {
  readonly index: number;
  readonly term: number;
  readonly id: string;
  readonly operation: Operation;
};
export type Snapshot = { readonly index: number; readonly term: number; readonly state: ClusterState };
export type HardState = {
  readonly this_peer_id: PeerId;
  readonly uri: string;
  term: number;
  vote: PeerId | null;
  commit: number;
  removed: boolean;
};

/** `raft_state.json`. The place of the term is the server's: start scripts look for it. */
type Stored = Omit<HardState, keyof Term> & { readonly state: { readonly hard_state: Term } };
type Term = Pick<HardState, 'term' | 'vote' | 'commit'>;

const COMPACT_ENTRIES = 256;
const KEEP_ENTRIES = 64;

/** What a peer must remember of consensus over a kill: its identity, term, vote, log, and a snapshot of the state. */
export class ConsensusStorage {
  readonly #directory: string;
  hard: HardState;
  snapshot: Snapshot = { index: 0, term: 0, state: emptyState() };
  /** Entries after the snapshot, by rising index. */
  #entries: Entry[] = [];

  private constructor(directory: string, hard: HardState) {
    this.#directory = directory;
    this.hard = hard;
  }

  /** Opens what an earlier run left; undefined on an empty volume. */
  static open(directory: string): ConsensusStorage | undefined {
    const file = join(directory, 'raft_state.json');
    if (!existsSync(file)) return undefined;
    const { state, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    const storage = new ConsensusStorage(directory, { ...state.hard_state, ...rest });
    const snapshot = join(directory, 'raft_snapshot.json');
    if (existsSync(snapshot)) storage.snapshot = JSON.parse(readFileSync(snapshot, 'utf8'));
    storage.#entries = readLog(join(directory, 'raft_log.jsonl')).filter(({ index }) => index > storage.snapshot.index);
    return storage;
  }

  static create(directory: string, hard: HardState): ConsensusStorage {
    mkdirSync(directory, { recursive: true });
    const storage = new ConsensusStorage(directory, hard);
    storage.saveHard();
    return storage;
  }

  get lastIndex(): number {
    return this.#entries.at(-1)?.index ?? this.snapshot.index;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.snapshot.term;
  }

  entry(index: number): Entry | undefined {
    const first = this.#entries[0]?.index ?? 0;
    return this.#entries[index - first];
  }

  /** The term of an entry, or of the snapshot's last one; undefined when not known. */
  termAt(index: number): number | undefined {
    if (index === this.snapshot.index) return this.snapshot.term;
    return this.entry(index)?.term;
  }

  entriesFrom(index: number, limit: number): readonly Entry[] {
    const first = this.#entries[0]?.index ?? 0;
    const start = Math.max(0, index - first);
    return this.#entries.slice(start, start + limit);
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#entries.push(...entries);
    appendFileSync(join(this.#directory, 'raft_log.jsonl'), lines(entries));
  }

  truncateFrom(index: number): void {
    this.#entries = this.#entries.filter((entry) => entry.index < index);
    this.#rewriteLog();
  }

  saveHard(): void {
    const { term, vote, commit, ...rest } = this.hard;
    this.#write('raft_state.json', JSON.stringify({ state: { hard_state: { term, vote, commit } }, ...rest }));
  }

  /** Replaces everything by a snapshot that the leader sent. */
  install(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.#entries = [];
    this.#write('raft_snapshot.json', JSON.stringify(snapshot));
    this.#rewriteLog();
  }

  /** Takes a snapshot at `applied` once the log has grown long. */
  maybeCompact(applied: number, state: ClusterState): void {
    const term = this.termAt(applied);
    if (applied - this.snapshot.index < COMPACT_ENTRIES || term === undefined) return;
    this.compact({ index: applied, term, state: structuredClone(state) });
  }

  compact(snapshot: Snapshot): void {
    this.#write('raft_snapshot.json', JSON.stringify(snapshot));
    this.snapshot = snapshot;
    // Some entries before the snapshot stay for followers that lag a little.
    this.#entries = this.#entries.filter((entry) => entry.index > snapshot.index - KEEP_ENTRIES);
    this.#rewriteLog();
  }

  #rewriteLog(): void {
    this.#write('raft_log.jsonl', lines(this.#entries));
  }

  #write(name: string, text: string): void {
    const path = join(this.#directory, name);
    writeFileSync(`${path}.next`, text);
    renameSync(`${path}.next`, path);
  }
}

const lines = (entries: readonly Entry[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

function readLog(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const entries: Entry[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    // A kill in the middle of an append leaves half a line, which was never answered.
    if (!line.endsWith('}')) continue;
    try {
      entries.push(JSON.parse(line));
    } catch {
      break;
    }
  }
  return entries;
}
