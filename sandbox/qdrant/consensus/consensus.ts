import { randomUUID } from 'node:crypto';
import { EngineError } from '../base/errors.ts';
import { applyOperation } from '../state/apply.ts';
import type { Operation } from '../state/operations.ts';
import { ReplicaPanic } from '../state/panic.ts';
import { type ClusterState, emptyState, type PeerId } from '../state/types.ts';
import type { AppendRequest, VoteRequest } from './messages.ts';
import { Raft } from './raft.ts';
import { SendFailures } from './send-failures.ts';
import type { ConsensusStorage } from './storage.ts';
import type { Handlers, PeerClient } from './transport.ts';

/** Source: Qdrant `CONSENSUS_META_OP_WAIT`. */
export const WAIT_MILLISECONDS = 10_000;
const SEND_MILLISECONDS = 1500;
const FAREWELL_MILLISECONDS = 250;

export type ThreadStatus =
  | { readonly consensus_thread_status: 'working'; readonly last_update: string }
  | { readonly consensus_thread_status: 'stopped' }
  | { readonly consensus_thread_status: 'stopped_with_err'; readonly err: string };

export type RaftInfo = {
  readonly term: number;
  readonly commit: number;
  readonly pending_operations: number;
  readonly leader: PeerId | null;
  readonly role: string | null;
  readonly is_voter: boolean;
};

type Outcome = { readonly result: boolean } | { readonly error: EngineError };
type Waiter = (outcome: Outcome) => void;

/** The replicated state of the cluster as this peer sees it, and the way to change it. */
export class Consensus {
  state: ClusterState = emptyState();
  readonly client: PeerClient;
  readonly #storage: ConsensusStorage;
  readonly #raft: Raft;
  readonly #waiters = new Map<string, Waiter>();
  readonly #failures = new SendFailures();
  readonly #changed = new Set<() => void>();
  #lastUpdate = new Date();
  #stopped: 'removed' | { readonly err: string } | undefined;
  #promoting = new Set<PeerId>();

  constructor(storage: ConsensusStorage, client: PeerClient) {
    this.#storage = storage;
    this.client = client;
    this.state = structuredClone(storage.snapshot.state);
    this.#raft = new Raft({
      storage,
      members: () => this.state.peers,
      sendAppend: (to, body) => this.#send(to, 'append', body),
      sendVote: (to, body) => this.#send(to, 'vote', body),
      apply: () => this.#applyCommitted(),
      install: (snapshot) => {
        this.state = structuredClone(snapshot.state);
        this.#notify();
      },
      onCaughtUp: (peer) => void this.#promote(peer),
    });
  }

  get peerId(): PeerId {
    return this.#storage.hard.this_peer_id;
  }

  get uri(): string {
    return this.#storage.hard.uri;
  }

  get applied(): number {
    return this.#raft.applied;
  }

  get removed(): boolean {
    return this.#storage.hard.removed;
  }

  /**
   * Applies what was committed before this start.
   * @throws ReplicaPanic when an entry can't be applied: the process must not go on (S1)
   */
  replay(): void {
    this.#raft.applied = this.#applyCommitted();
    if (typeof this.#stopped === 'object') throw new ReplicaPanic(this.#stopped.err);
  }

  start(): void {
    if (!this.removed) this.#raft.start();
  }

  stop(): void {
    this.#raft.stop();
  }

  /** Calls `listener` after every change of the state. */
  onChange(listener: () => void): void {
    this.#changed.add(listener);
  }

  handlers(): Handlers {
    const alive =
      <T>(handler: (body: T) => unknown) =>
      (body: unknown): unknown => {
        if (this.#stopped) throw new EngineError('Service', 'consensus is stopped');
        return handler(body as T);
      };
    return {
      append: alive((body: AppendRequest) => this.#raft.onAppend(body)),
      vote: alive((body: VoteRequest) => this.#raft.onVote(body)),
      propose: alive((body: { id: string; operation: Operation }) => this.#append(body.id, body.operation)),
      applied: () => ({ applied: this.applied, commit: this.#storage.hard.commit }),
    };
  }

  /**
   * Proposes an operation and waits until this peer has applied it.
   *
   * @throws EngineError what applying it answered; or 500 when there is no leader or no majority in time - it may
   * still be applied later
   */
  async propose(operation: Operation, timeoutMs = WAIT_MILLISECONDS): Promise<boolean> {
    const id = randomUUID();
    const deadline = Date.now() + timeoutMs;
    const outcome = new Promise<Outcome>((resolve) => this.#waiters.set(id, resolve));
    try {
      const leader = await this.#leader(deadline);
      if (leader === undefined) {
        throw new EngineError(
          'Service',
          `Failed to propose operation: leader is not established within ${timeoutMs / 1000}s`,
        );
      }
      // A proposal lost on the way is not sent again: the caller waits in vain, as with the real server.
      if (leader === this.peerId) this.#append(id, operation);
      else void this.#send(leader, 'propose', { id, operation }).catch(() => undefined);
      const settled = await Promise.race([outcome, sleepUntil(deadline)]);
      if (settled === undefined) {
        throw new EngineError(
          'Service',
          `Waiting for consensus operation commit failed. Timeout set at: ${Math.round(timeoutMs / 1000)} seconds`,
        );
      }
      if ('error' in settled) throw settled.error;
      return settled.result;
    } finally {
      this.#waiters.delete(id);
    }
  }

  async #leader(deadline: number): Promise<PeerId | undefined> {
    while (!this.#stopped && this.#raft.leader === undefined && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (this.#stopped) await sleepUntil(deadline);
    return this.#raft.leader;
  }

  #append(id: string, operation: Operation): boolean {
    if (this.#raft.role !== 'Leader') return false;
    this.#raft.propose(id, operation);
    return true;
  }

  #send<T>(to: PeerId, method: string, body: unknown): Promise<T> {
    const uri = this.state.peers[to]?.uri ?? this.#departed.get(to);
    if (uri === undefined) return Promise.reject(new Error(`no address found for peer ${to}`));
    return this.client.call(uri, method, { body, timeoutMs: SEND_MILLISECONDS }).then(
      (answer) => {
        this.#failures.succeeded(uri);
        return answer as T;
      },
      (error: unknown) => {
        this.#failures.failed(uri, error);
        throw error;
      },
    );
  }

  /** Addresses of removed peers, which must still hear of their removal. */
  readonly #departed = new Map<PeerId, string>();

  #applyCommitted(): number {
    const { commit } = this.#storage.hard;
    let { applied } = this.#raft;
    while (applied < commit && this.#stopped === undefined) {
      const entry = this.#storage.entry(applied + 1);
      if (!entry) break;
      const outcome = this.#applyOne(entry.operation, entry.index);
      if (outcome === undefined) break;
      applied = entry.index;
      this.#raft.applied = applied;
      this.#waiters.get(entry.id)?.(outcome);
    }
    if (this.#stopped === undefined) this.#storage.maybeCompact(applied, this.state);
    this.#notify();
    return applied;
  }

  #applyOne(operation: Operation, index: number): Outcome | undefined {
    try {
      this.#lastUpdate = new Date();
      if (operation.op === 'removePeer') this.#beforeRemoval(operation.peerId, index);
      return { result: applyOperation(this.state, operation) };
    } catch (error) {
      if (error instanceof EngineError) return { error };
      const text = error instanceof Error ? error.message : String(error);
      this.#stopped = { err: `Failed to apply collection meta operation entry: ${text}` };
      for (const waiter of this.#waiters.values()) waiter({ error: new EngineError('Service', text) });
      this.#fallSilent();
      return undefined;
    }
  }

  #beforeRemoval(peer: PeerId, index: number): void {
    const present = this.state.peers[peer];
    if (!present) return;
    this.#departed.set(peer, present.uri);
    this.#failures.succeeded(present.uri);
    if (peer !== this.peerId) {
      this.#raft.seeOff(peer, index);
      return;
    }
    this.#storage.hard.removed = true;
    this.#storage.saveHard();
    this.#fallSilent(() => {
      this.#stopped = 'removed';
    });
  }

  /** Stops soon: the others must learn of the commit before their leader falls silent. */
  #fallSilent(before: () => void = () => undefined): void {
    setTimeout(() => {
      before();
      this.#raft.stop();
    }, FAREWELL_MILLISECONDS).unref();
  }

  #notify(): void {
    for (const listener of this.#changed) listener();
  }

  async #promote(peerId: PeerId): Promise<void> {
    if (this.#promoting.has(peerId)) return;
    this.#promoting.add(peerId);
    try {
      await this.propose({ op: 'promotePeer', peerId });
    } catch {
      // The next answer of the learner asks again.
    } finally {
      this.#promoting.delete(peerId);
    }
  }

  get threadStatus(): ThreadStatus {
    if (this.#stopped === 'removed') return { consensus_thread_status: 'stopped' };
    if (this.#stopped) return { consensus_thread_status: 'stopped_with_err', err: this.#stopped.err };
    return { consensus_thread_status: 'working', last_update: this.#lastUpdate.toISOString() };
  }

  get raftInfo(): RaftInfo {
    const { term, commit } = this.#storage.hard;
    const silent = this.removed || this.#stopped !== undefined;
    return {
      term,
      commit,
      pending_operations: Math.max(0, commit - this.#raft.applied),
      leader: silent ? null : (this.#raft.leader ?? null),
      role: silent ? null : this.#raft.role,
      is_voter: this.#raft.isVoter,
    };
  }

  get sendFailures(): Readonly<Record<string, object>> {
    return this.#failures.report(new Set(Object.values(this.state.peers).map(({ uri }) => uri)));
  }
}

function sleepUntil(deadline: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), Math.max(0, deadline - Date.now())).unref());
}
