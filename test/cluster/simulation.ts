import assert from 'node:assert/strict';
import type { QdrantCluster, QdrantClusterSpec } from '../../src/api/index.ts';
import type { Step } from '../../src/cluster/decide/step.ts';
import { type Decision, decide } from '../../src/cluster/decide.ts';
import { claimName, peerUri, podName } from '../../src/cluster/names.ts';
import { statusOf } from '../../src/cluster/report.ts';
import { type Settling, settling, unsettled } from '../../src/cluster/settled.ts';
import { type Topology, topologyOf, transferKey } from '../../src/cluster/topology.ts';
import type { Announcement, ClaimFacts, PodFacts, World } from '../../src/cluster/world.ts';
import type { ClusterView, PeerView, ReplicaState } from '../../src/qdrant/index.ts';
import { clusterObject } from './builders.ts';

const SETTLE_SECONDS = 5;
const TRANSFER_TICKS = 2;
const START_TICKS = 2;

/** The log of a peer that joined not long ago still says how it did. */
const KILLED = { code: 137, message: 'qdrant-librarian: the volume is empty: joining through docs-1', seconds: 9 };

type Volume = { peer: number | undefined };
type SimulatedPod = Omit<PodFacts, 'ready' | 'running'> & { startsIn: number; crashed: boolean };
type SimulatedClaim = ClaimFacts & { content: Volume };
type SimulatedShard = { collection: string; id: number; replicas: Map<number, ReplicaState> };
type SimulatedTransfer = { collection: string; shard: number; from: number; to: number; sync: boolean; ticks: number };

/**
 * A cluster and its pods as plain values, one second a tick: what kubelet, StatefulSet controller and Qdrant do, as far
 * as deciding depends on it. Fails as soon as a rule is broken that must always hold.
 */
export class Simulation {
  now = Date.parse('2026-01-01T00:00:00Z');
  cluster: QdrantCluster;
  replicas: number | undefined;
  template = 'one';
  pods = new Map<number, SimulatedPod>();
  claims = new Map<number, SimulatedClaim>();
  announced: Announcement | undefined;
  members = new Map<number, number>();
  shards: SimulatedShard[] = [];
  transfers: SimulatedTransfer[] = [];
  factors = new Map<string, number>();
  stoppedWithError = new Set<number>();
  founded = 0;
  disabled = new Set<string>();
  steps: Step[] = [];
  #settling: Settling | undefined;
  #transfersSince = new Map<string, number>();
  #serial = 0;

  constructor(spec: Partial<QdrantClusterSpec> = {}) {
    this.cluster = clusterObject({ spec });
  }

  /** Makes collections as Qdrant does: replicas on the least loaded members. */
  createCollection(collection: string, shards: number, factor: number): void {
    this.factors.set(collection, factor);
    for (let id = 0; id < shards; id += 1) {
      const load = (peer: number) => this.shards.filter(({ replicas }) => replicas.has(peer)).length;
      const peers = [...this.members.keys()].toSorted((a, b) => load(a) - load(b) || a - b).slice(0, factor);
      this.shards.push({ collection, id, replicas: new Map(peers.map((peer) => [peer, 'Active'])) });
    }
  }

  resize(size: number): void {
    this.cluster = { ...this.cluster, spec: { ...this.cluster.spec, size } };
  }

  /** The operator forgets what it only remembers. */
  restartOperator(): void {
    this.#settling = undefined;
    this.#transfersSince.clear();
  }

  killPod(ordinal: number): void {
    const pod = this.pods.get(ordinal);
    assert.ok(pod);
    this.pods.set(ordinal, { ...pod, restarts: pod.restarts + 1, startsIn: 3 * START_TICKS, lastExit: KILLED });
    const peer = [...this.members].find(([, other]) => other === ordinal)?.[0];
    for (const { replicas } of this.shards) {
      const readable = [...replicas].filter(([id, state]) => id !== peer && state === 'Active').length;
      if (peer !== undefined && replicas.has(peer) && readable > 0) replicas.set(peer, 'Dead');
    }
    this.#abortTransfers(peer);
  }

  /** The node is gone: the pod never comes back. */
  losePod(ordinal: number): void {
    this.killPod(ordinal);
    const pod = this.pods.get(ordinal);
    if (pod !== undefined) this.pods.set(ordinal, { ...pod, startsIn: Number.MAX_SAFE_INTEGER });
  }

  loseVolume(ordinal: number): void {
    const claim = this.claims.get(ordinal);
    assert.ok(claim);
    claim.content.peer = undefined;
    this.killPod(ordinal);
  }

  peerOf(ordinal: number): number | undefined {
    return this.claims.get(ordinal)?.content.peer;
  }

  answers(ordinal: number): boolean {
    const pod = this.pods.get(ordinal);
    return (
      pod !== undefined && pod.startsIn === 0 && !pod.crashed && !pod.terminating && this.peerOf(ordinal) !== undefined
    );
  }

  world(): { world: World; topology: Topology } {
    const view = this.view();
    const topology = topologyOf({ cluster: this.cluster, view });
    const pods = [...this.pods.values()].map(
      ({ startsIn, crashed, ...pod }): PodFacts => ({
        ...pod,
        running: startsIn === 0 && !crashed,
        ready: this.answers(pod.ordinal),
      }),
    );
    const sample = { now: this.now, settled: unsettled(topology).length === 0, pods };
    this.#settling = settling(this.#settling, sample, SETTLE_SECONDS * 1000);
    for (const transfer of topology.transfers) {
      const key = transferKey(transfer);
      this.#transfersSince.set(key, this.#transfersSince.get(key) ?? this.now);
    }
    const world: World = {
      now: this.now,
      settleSeconds: SETTLE_SECONDS,
      cluster: this.cluster,
      disabled: this.disabled,
      statefulSet:
        this.replicas === undefined
          ? undefined
          : {
              replicas: this.replicas,
              image: 'qdrant/qdrant:v1.18.3',
              claims: [{ name: 'qdrant-storage', size: '10Gi', storageClassName: undefined }],
            },
      pods,
      claims: [...this.claims.values()],
      announced: this.announced,
      template: this.template,
      view,
      replicationFactors: this.factors,
      budgetOpen: undefined,
      settledSince: this.#settling?.since,
      transfersSince: this.#transfersSince,
      problem: undefined,
      libraries: [],
      taken: [],
    };
    return { world, topology };
  }

  /** One pass of the operator. `crash`: it ends after acting, before it reports. */
  pass({ crash = false }: { crash?: boolean } = {}): Decision {
    const { world, topology } = this.world();
    const decision = decide(world, topology);
    this.#apply(decision);
    const ending = { invalid: [], failure: undefined, pending: false };
    if (!crash) this.cluster = { ...this.cluster, status: statusOf({ world, topology, decision, ending }) };
    this.#check();
    return decision;
  }

  /** A second passes. */
  tick(): void {
    this.now += 1000;
    this.#runPods();
    this.#runTransfers();
    this.#check();
  }

  /** Passes and ticks until nothing is left to do; fails when that takes longer than `most` seconds. */
  settle(most = 400): number {
    for (let seconds = 0; seconds < most; seconds += 1) {
      const decision = this.pass();
      this.tick();
      if (this.isDone(decision)) return seconds;
    }
    const { operation } = this.cluster.status ?? {};
    assert.fail(`not settled after ${most} s: ${JSON.stringify(operation)}`);
  }

  isDone(decision: Decision): boolean {
    const ready = this.cluster.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    return decision.operation === undefined && decision.step === undefined && ready;
  }

  view(): ClusterView {
    const known = (this.cluster.status?.peers ?? []).map(({ ordinal = -1 }) => ordinal + 1);
    const count = Math.max(this.cluster.spec.size ?? 1, ...known);
    const peers = Array.from({ length: count }, (_, ordinal) => this.#peerView(ordinal));
    return { at: this.now, peers };
  }

  #peerView(ordinal: number): PeerView {
    const name = podName(this.cluster, ordinal);
    const peerId = this.peerOf(ordinal);
    if (!this.answers(ordinal) || peerId === undefined)
      return { name, reachable: false, error: `${name}: connection refused` };
    const member = this.members.has(peerId);
    const ids = member ? [...this.members.keys()] : [peerId];
    const leader = [...this.members].find(([, other]) => this.answers(other))?.[0];
    return {
      name,
      reachable: true,
      distributed: true,
      peerId,
      version: '1.18.3',
      uri: `${peerUri(this.cluster, ordinal)}/`,
      members: ids.map((id) => ({ peerId: id, uri: `${peerUri(this.cluster, this.members.get(id) ?? ordinal)}/` })),
      raft: {
        term: 1,
        commit: 1,
        pendingOperations: 0,
        isVoter: member,
        ...(member && leader !== undefined ? { leader } : {}),
      },
      consensus: this.stoppedWithError.has(ordinal) ? 'stopped_with_err' : member ? 'working' : 'stopped',
      sendFailures: [],
      collections: [...new Set(this.shards.map(({ collection }) => collection))].map((collection) =>
        this.#collectionView(collection),
      ),
      aliases: [],
    };
  }

  #collectionView(name: string) {
    const shards = this.shards.filter(({ collection }) => collection === name);
    return {
      name,
      shardCount: shards.length,
      shards: shards.map(({ id, replicas }) => ({
        id,
        replicas: [...replicas].map(([peerId, state]) => ({ peerId, state, points: 100 })),
      })),
      transfers: this.transfers
        .filter(({ collection }) => collection === name)
        .map(({ shard, from, to, sync }) => ({ shardId: shard, from, to, sync })),
    };
  }

  #apply({ replicas, announced, marks, serving, step }: Decision): void {
    if (this.cluster.metadata.deletionTimestamp === undefined) {
      assert.ok(replicas >= (this.replicas ?? 0), 'replicas fall by a step only');
      this.replicas = replicas;
      this.announced = announced;
      for (const { claim, uid, peer, removed } of marks) {
        const found = [...this.claims.values()].find(({ name }) => name === claim);
        assert.equal(found?.uid, uid);
        if (found !== undefined)
          this.claims.set(found.ordinal, {
            ...found,
            ...(removed ? { removedPeer: peer } : { peer, removedPeer: undefined }),
          });
      }
      for (const change of serving) {
        const pod = [...this.pods.values()].find(({ name }) => name === change.pod);
        if (pod !== undefined)
          this.pods.set(pod.ordinal, {
            ...pod,
            serving: change.serving,
            withdrawnAt: change.serving ? undefined : this.now,
          });
      }
    }
    if (step === undefined) return;
    this.steps.push(step);
    this.perform(step);
  }

  perform(step: Step): void {
    switch (step.kind) {
      case 'startTransfers':
        for (const { collection, shard, from, to, keepSource } of step.transfers) {
          const found = this.shards.find((one) => one.collection === collection && one.id === shard);
          assert.equal(found?.replicas.get(from), 'Active', 'a transfer starts from an Active replica');
          assert.ok(!found?.replicas.has(to), 'two replicas of a shard never meet on one peer');
          assert.ok(
            !this.transfers.some((one) => one.collection === collection && one.shard === shard),
            'one transfer at a time for a shard',
          );
          found?.replicas.set(to, 'Partial');
          this.transfers.push({ collection, shard, from, to, sync: keepSource, ticks: TRANSFER_TICKS });
        }
        assert.ok(this.transfers.length <= 4, 'transfers are bounded');
        return;
      case 'dropReplica': {
        const found = this.shards.find((one) => one.collection === step.collection && one.id === step.shard);
        found?.replicas.delete(step.peer);
        return;
      }
      case 'removePeer':
        assert.ok(!this.shards.some(({ replicas }) => replicas.has(step.peer)), 'a peer with shards is never removed');
        this.members.delete(step.peer);
        return;
      case 'deletePod': {
        const pod = [...this.pods.values()].find(({ uid }) => uid === step.uid);
        if (pod !== undefined) this.pods.delete(pod.ordinal);
        return;
      }
      case 'lowerReplicas': {
        const peer = this.peerOf(step.to);
        assert.ok(!this.shards.some(({ replicas }) => replicas.has(peer ?? 0)), 'no replica goes with a pod');
        const left = [...this.members].filter(([id, ordinal]) => id !== peer && this.answers(ordinal)).length;
        const member = peer !== undefined && this.members.has(peer);
        assert.ok(!member || left * 2 > this.members.size, 'those that stay can agree on the removal');
        assert.equal(step.to, (this.replicas ?? 0) - 1);
        this.replicas = step.to;
        return;
      }
      case 'deleteClaims':
        for (const { uid } of step.claims) {
          const claim = [...this.claims.values()].find((one) => one.uid === uid);
          assert.ok(claim !== undefined && !this.pods.has(claim.ordinal), 'a volume in use is never deleted');
          assert.ok(
            claim.content.peer === undefined || !this.members.has(claim.content.peer),
            "a member's volume is never deleted",
          );
          this.claims.delete(claim.ordinal);
        }
        return;
      case 'deleteStatefulSet':
      case 'removeFinalizer':
        assert.fail(`${step.kind} without a deletion`);
    }
  }

  #runPods(): void {
    for (const ordinal of this.pods.keys()) if (ordinal >= (this.replicas ?? 0)) this.pods.delete(ordinal);
    for (let ordinal = 0; ordinal < (this.replicas ?? 0); ordinal += 1) {
      if (!this.claims.has(ordinal)) this.claims.set(ordinal, this.#newClaim(ordinal));
      const pod = this.pods.get(ordinal) ?? this.#newPod(ordinal);
      this.pods.set(ordinal, pod.startsIn > 0 ? { ...pod, startsIn: pod.startsIn - 1 } : pod);
      if (pod.startsIn === 1) this.#startPeer(ordinal);
    }
    for (const { replicas } of this.shards) this.#recover(replicas);
  }

  #next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #newPod(ordinal: number): SimulatedPod {
    const name = podName(this.cluster, ordinal);
    const uid = `pod-${this.#next()}`;
    return {
      name,
      ordinal,
      uid,
      template: this.template,
      terminating: false,
      restarts: 0,
      lastExit: undefined,
      serving: true,
      withdrawnAt: undefined,
      startsIn: START_TICKS,
      crashed: false,
    };
  }

  #newClaim(ordinal: number): SimulatedClaim {
    const uid = `claim-${this.#next()}`;
    const name = claimName(this.cluster, ordinal);
    return {
      name,
      ordinal,
      volume: 'qdrant-storage',
      uid,
      createdAt: this.now,
      terminating: false,
      peer: undefined,
      removedPeer: undefined,
      content: { peer: undefined },
    };
  }

  /** What start.sh and Qdrant do. */
  #startPeer(ordinal: number): void {
    const pod = this.pods.get(ordinal);
    const claim = this.claims.get(ordinal);
    assert.ok(pod !== undefined && claim !== undefined);
    assert.equal(this.stoppedWithError.has(ordinal), false, 'a peer with a failed consensus is never restarted (S1)');
    const fails = (message: string) =>
      this.pods.set(ordinal, {
        ...pod,
        startsIn: 3,
        crashed: true,
        restarts: pod.restarts + 1,
        lastExit: { code: 101, message, seconds: 0 },
      });
    if (claim.content.peer === undefined) {
      const own = `${peerUri(this.cluster, ordinal)}/`;
      const others = (this.announced?.members ?? []).filter((uri) => uri !== own);
      if (others.length === 0) {
        if (this.announced?.founder !== pod.name) return void fails('refusing to found');
        assert.equal(this.members.size, 0, 'a second cluster is never founded (S10)');
        this.founded += 1;
      }
      const old = [...this.members].find(([, other]) => other === ordinal)?.[0];
      if (old !== undefined) {
        if (this.shards.some(({ replicas }) => replicas.has(old)))
          return void fails('qdrant-librarian: the volume is empty: joining');
        this.members.delete(old);
      }
      claim.content.peer = 1000 + this.#next();
      this.members.set(claim.content.peer, ordinal);
    }
    this.pods.set(ordinal, { ...pod, startsIn: 0, crashed: false });
  }

  /** Qdrant recovers replicas that are Dead, by itself. */
  #recover(replicas: Map<number, ReplicaState>): void {
    for (const [peer, state] of replicas) {
      const ordinal = this.members.get(peer);
      const source = [...replicas].some(([id, other]) => id !== peer && other === 'Active');
      if (state === 'Dead' && source && ordinal !== undefined && this.answers(ordinal)) replicas.set(peer, 'Active');
    }
  }

  #runTransfers(): void {
    for (const transfer of this.transfers) transfer.ticks -= 1;
    for (const { collection, shard, from, to, sync, ticks } of this.transfers) {
      if (ticks > 0) continue;
      const found = this.shards.find((one) => one.collection === collection && one.id === shard);
      found?.replicas.set(to, 'Active');
      if (!sync) found?.replicas.delete(from);
    }
    this.transfers = this.transfers.filter(({ ticks }) => ticks > 0);
  }

  #abortTransfers(peer: number | undefined): void {
    for (const { collection, shard, from, to, sync } of this.transfers) {
      if (from !== peer && to !== peer) continue;
      const found = this.shards.find((one) => one.collection === collection && one.id === shard);
      if (sync) found?.replicas.set(to, 'Dead');
      else found?.replicas.delete(to);
    }
    this.transfers = this.transfers.filter(({ from, to }) => from !== peer && to !== peer);
  }

  #check(): void {
    for (const { collection, id, replicas } of this.shards) {
      assert.ok([...replicas.values()].includes('Active'), `shard ${collection}/${id} keeps an Active replica`);
    }
    assert.ok(this.founded <= 1, 'one cluster is founded');
  }
}
