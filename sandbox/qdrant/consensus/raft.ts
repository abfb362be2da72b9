import { randomInt } from 'node:crypto';
import type { Operation } from '../state/operations.ts';
import type { PeerId, PeerState } from '../state/types.ts';
import type { AppendAnswer, AppendRequest, VoteAnswer, VoteRequest } from './messages.ts';
import type { ConsensusStorage, Entry, Snapshot } from './storage.ts';

export type Role = 'Follower' | 'Candidate' | 'Leader' | 'PreCandidate';

export type RaftOptions = {
  readonly storage: ConsensusStorage;
  /** The members as of the applied state. */
  readonly members: () => Readonly<Record<string, PeerState>>;
  readonly sendAppend: (to: PeerId, request: AppendRequest) => Promise<AppendAnswer>;
  readonly sendVote: (to: PeerId, request: VoteRequest) => Promise<VoteAnswer>;
  /** Applies entries up to the commit index and returns the applied one. */
  readonly apply: () => number;
  readonly install: (snapshot: Snapshot) => void;
  /** A learner has caught up. */
  readonly onCaughtUp: (peer: PeerId) => void;
};

export const TICK_MILLISECONDS = 100;
const ELECTION_MILLISECONDS: readonly [number, number] = [1000, 2000];
const BATCH = 128;

type Progress = { next: number; match: number; busy: boolean; again: boolean };

/** Raft's core on one peer: terms, elections with a majority, replication. What entries mean is not its business. */
export class Raft {
  readonly #options: RaftOptions;
  readonly #storage: ConsensusStorage;
  readonly #progress = new Map<PeerId, Progress>();
  /** Peers that were removed and must still learn of it. */
  readonly #departing = new Map<PeerId, number>();
  #electionAt = 0;
  #heardLeaderAt = 0;
  #timer: NodeJS.Timeout | undefined;
  role: Role = 'Follower';
  leader: PeerId | undefined;
  applied: number;

  constructor(options: RaftOptions) {
    this.#options = options;
    this.#storage = options.storage;
    this.applied = options.storage.snapshot.index;
    this.#postponeElection();
  }

  get id(): PeerId {
    return this.#storage.hard.this_peer_id;
  }

  get isVoter(): boolean {
    return this.#options.members()[this.id]?.voter ?? false;
  }

  start(): void {
    // Alone there is nobody to wait for.
    if (this.isVoter && this.#voters().length === 1) this.#campaign();
    const tick = (): void => {
      this.#tick();
      this.#timer = setTimeout(tick, TICK_MILLISECONDS);
    };
    this.#timer = setTimeout(tick, TICK_MILLISECONDS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.role = 'Follower';
    this.leader = undefined;
  }

  /** Appends an operation; only the leader may. */
  propose(id: string, operation: Operation): void {
    this.#storage.append([{ index: this.#storage.lastIndex + 1, term: this.#storage.hard.term, id, operation }]);
    this.#advance();
    this.#replicateAll();
  }

  /** Keeps telling a removed peer until it has seen the entry that removed it. */
  seeOff(peer: PeerId, index: number): void {
    if (this.role !== 'Leader' || !this.#progress.has(peer)) return;
    this.#departing.set(peer, index);
    setTimeout(() => this.#departing.delete(peer), 5000).unref();
  }

  #voters(): PeerId[] {
    return Object.entries(this.#options.members()).flatMap(([id, peer]) => (peer.voter ? [Number(id)] : []));
  }

  #others(): PeerId[] {
    const members = Object.keys(this.#options.members()).map(Number);
    return [...new Set([...members, ...this.#departing.keys()])].filter((id) => id !== this.id);
  }

  #tick(): void {
    if (this.role === 'Leader') {
      this.#replicateAll();
      return;
    }
    if (this.isVoter && Date.now() >= this.#electionAt) void this.#poll();
  }

  #postponeElection(): void {
    this.#electionAt = Date.now() + randomInt(...ELECTION_MILLISECONDS);
  }

  /** Asks whether an election could be won, then holds it. */
  async #poll(): Promise<void> {
    this.#postponeElection();
    this.role = 'PreCandidate';
    this.leader = undefined;
    if (await this.#askVotes(this.#storage.hard.term + 1, true)) {
      if (this.role === 'PreCandidate') this.#campaign();
    }
  }

  #campaign(): void {
    const { hard } = this.#storage;
    hard.term += 1;
    hard.vote = this.id;
    this.#storage.saveHard();
    this.role = 'Candidate';
    const { term } = hard;
    if (this.#voters().length === 1) {
      this.#lead();
      return;
    }
    void this.#askVotes(term, false).then((won) => {
      if (won && this.role === 'Candidate' && this.#storage.hard.term === term) this.#lead();
    });
  }

  async #askVotes(term: number, pre: boolean): Promise<boolean> {
    const { lastIndex, lastTerm } = this.#storage;
    const voters = this.#voters();
    const majority = Math.floor(voters.length / 2) + 1;
    let votes = 1;
    if (votes >= majority) return true;
    const others = voters.filter((voter) => voter !== this.id);
    return await new Promise((resolve) => {
      let open = others.length;
      for (const to of others) {
        this.#options
          .sendVote(to, { from: this.id, to, term, lastIndex, lastTerm, pre })
          .then((answer) => {
            if (answer.granted) votes += 1;
            else if (answer.term > this.#storage.hard.term && !pre) this.#follow(answer.term);
            if (votes >= majority) resolve(true);
          })
          .catch(() => undefined)
          .finally(() => {
            open -= 1;
            if (open === 0) resolve(votes >= majority);
          });
      }
    });
  }

  #lead(): void {
    this.role = 'Leader';
    this.leader = this.id;
    this.#progress.clear();
    // Only an entry of its own term lets a leader commit what earlier terms left.
    this.propose('', { op: 'noop' });
  }

  #follow(term: number, leader?: PeerId): void {
    const { hard } = this.#storage;
    if (term > hard.term) {
      hard.term = term;
      hard.vote = null;
      this.#storage.saveHard();
    }
    this.role = 'Follower';
    this.leader = leader;
    this.#departing.clear();
  }

  onVote(request: VoteRequest): VoteAnswer {
    const { hard, lastIndex, lastTerm } = this.#storage;
    const refused = { term: hard.term, granted: false };
    if (request.to !== this.id || hard.removed || !this.#options.members()[request.from]) return refused;
    const upToDate = request.lastTerm > lastTerm || (request.lastTerm === lastTerm && request.lastIndex >= lastIndex);
    if (request.pre) {
      const leaderAlive = this.role === 'Leader' || Date.now() - this.#heardLeaderAt < ELECTION_MILLISECONDS[0];
      return { term: hard.term, granted: upToDate && request.term > hard.term && !leaderAlive };
    }
    if (request.term < hard.term) return refused;
    if (request.term > hard.term) this.#follow(request.term);
    const free = hard.vote === null || hard.vote === request.from;
    if (!upToDate || !free) return { term: hard.term, granted: false };
    hard.vote = request.from;
    this.#storage.saveHard();
    this.#postponeElection();
    return { term: hard.term, granted: true };
  }

  onAppend(request: AppendRequest): AppendAnswer {
    const { hard } = this.#storage;
    if (request.to !== this.id || hard.removed) return { kind: 'ignored' };
    if (request.term < hard.term) return { kind: 'refused', term: hard.term, hint: this.#storage.lastIndex };
    this.#follow(request.term, request.from);
    this.#heardLeaderAt = Date.now();
    this.#postponeElection();
    if (request.snapshot && request.snapshot.index > this.applied) {
      this.#storage.install(request.snapshot);
      this.#options.install(request.snapshot);
      this.applied = request.snapshot.index;
      this.#commitTo(request.snapshot.index);
    }
    const known = this.#storage.termAt(request.previousIndex);
    // What is applied here is committed, so it matches without proof.
    if (request.previousIndex > this.applied && known !== request.previousTerm) {
      const hint = known === undefined ? this.#storage.lastIndex : request.previousIndex - 1;
      return { kind: 'refused', term: hard.term, hint: Math.max(hint, this.applied) };
    }
    this.#accept(request.entries);
    const match = Math.max(request.previousIndex, request.entries.at(-1)?.index ?? 0);
    this.#commitTo(Math.min(request.commit, match));
    return { kind: 'ok', term: hard.term, match };
  }

  #accept(entries: readonly Entry[]): void {
    for (const [position, entry] of entries.entries()) {
      if (entry.index <= this.applied) continue;
      const present = this.#storage.termAt(entry.index);
      if (present === entry.term) continue;
      if (present !== undefined) this.#storage.truncateFrom(entry.index);
      this.#storage.append(entries.slice(position));
      return;
    }
  }

  #commitTo(index: number): void {
    const { hard } = this.#storage;
    if (index > hard.commit) {
      hard.commit = index;
      this.#storage.saveHard();
    }
    if (this.applied < hard.commit) this.applied = this.#options.apply();
  }

  /** Commits what a majority of the voters holds, if it is of this term. */
  #advance(): void {
    const matches = this.#voters()
      .map((voter) => (voter === this.id ? this.#storage.lastIndex : (this.#progress.get(voter)?.match ?? 0)))
      .toSorted((a, b) => b - a);
    const index = matches[Math.floor(matches.length / 2)] ?? 0;
    if (index <= this.#storage.hard.commit || this.#storage.termAt(index) !== this.#storage.hard.term) return;
    this.#storage.hard.commit = index;
    this.#storage.saveHard();
    // Followers wait for their own proposals, and must hear of the commit even if applying it stops this peer (S1).
    this.#replicateAll();
    this.applied = this.#options.apply();
  }

  #replicateAll(): void {
    if (this.role !== 'Leader') return;
    for (const peer of this.#others()) void this.#replicate(peer);
  }

  async #replicate(peer: PeerId): Promise<void> {
    const progress = this.#progressOf(peer);
    if (progress.busy) {
      progress.again = true;
      return;
    }
    progress.busy = true;
    progress.again = false;
    let heard = false;
    try {
      const answer = await this.#options.sendAppend(peer, this.#appendFor(peer, progress));
      heard = answer.kind !== 'ignored';
      if (this.role === 'Leader') this.#onAnswer(peer, progress, answer);
    } catch {
      // The next tick tries again: a peer that is away refuses at once.
    } finally {
      progress.busy = false;
    }
    if (this.role !== 'Leader' || !heard) return;
    const behind = progress.next <= this.#storage.lastIndex && progress.match > 0 && this.#others().includes(peer);
    if (progress.again || behind) void this.#replicate(peer);
  }

  #progressOf(peer: PeerId): Progress {
    const present = this.#progress.get(peer);
    if (present) return present;
    const fresh = { next: this.#storage.lastIndex, match: 0, busy: false, again: false };
    this.#progress.set(peer, fresh);
    return fresh;
  }

  #appendFor(to: PeerId, progress: Progress): AppendRequest {
    const { snapshot, hard } = this.#storage;
    const previousIndex = progress.next - 1;
    const previousTerm = this.#storage.termAt(previousIndex);
    const base = { from: this.id, to, term: hard.term, commit: hard.commit };
    if (previousTerm !== undefined && previousIndex > 0) {
      const entries = this.#storage.entriesFrom(progress.next, BATCH);
      return { ...base, previousIndex, previousTerm, entries };
    }
    const entries = this.#storage.entriesFrom(snapshot.index + 1, BATCH);
    return { ...base, previousIndex: snapshot.index, previousTerm: snapshot.term, entries, snapshot };
  }

  #onAnswer(peer: PeerId, progress: Progress, answer: AppendAnswer): void {
    if (answer.kind === 'ignored') return;
    if (answer.term > this.#storage.hard.term) {
      this.#follow(answer.term);
      return;
    }
    if (answer.kind === 'refused') {
      progress.next = Math.max(1, Math.min(answer.hint, progress.next - 1) + 1);
      progress.again = true;
      return;
    }
    progress.match = Math.max(progress.match, answer.match);
    progress.next = progress.match + 1;
    const leaving = this.#departing.get(peer);
    if (leaving !== undefined && progress.match >= leaving && this.#storage.hard.commit >= leaving) {
      progress.again = true;
      this.#departing.delete(peer);
    }
    if (this.#options.members()[peer]?.voter === false && progress.match >= this.#storage.hard.commit) {
      this.#options.onCaughtUp(peer);
    }
    this.#advance();
  }
}
