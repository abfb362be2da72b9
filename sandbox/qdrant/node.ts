import { existsSync, mkdirSync } from 'node:fs';
import { found, join, newPeerId, outsider } from './consensus/bootstrap.ts';
import { Consensus } from './consensus/consensus.ts';
import { ConsensusStorage } from './consensus/storage.ts';
import { PeerClient, PeerServer } from './consensus/transport.ts';
import { Engine } from './engine.ts';
import { startGrpc } from './grpc/server.ts';
import { peerHandlers } from './peer-calls.ts';
import { allRoutes } from './routes/all.ts';
import { RequestCounters } from './routes/counters.ts';
import { RestServer } from './server.ts';
import type { Settings } from './settings.ts';
import { TransferDriver } from './transfers/driver.ts';
import { interruptedTransfers, Recovery } from './transfers/recovery.ts';

export type StartOptions = { readonly uri: string | undefined; readonly bootstrap: string | undefined };

/** A running peer. */
export type Node = { readonly engine: Engine; stop(): Promise<void> };

/**
 * Starts a peer: consensus first, then what it holds, then REST - so nothing answers before all is loaded.
 * @throws EngineError when the cluster doesn't let it in; ReplicaPanic when its log can't be applied
 */
export async function startNode(settings: Settings, options: StartOptions): Promise<Node> {
  mkdirSync(settings.storagePath, { recursive: true });
  const client = new PeerClient();
  const uri = normalizeUri(options.uri ?? `http://127.0.0.1:${settings.p2pPort}`);
  const restarted = existsSync(`${settings.storagePath}/raft_state.json`);
  const storage = await identity(settings, { client, uri, bootstrap: options.bootstrap });
  const consensus = new Consensus(storage, client);
  consensus.replay();
  const engine = new Engine(settings, consensus);
  engine.shards.sweep(consensus.state);
  engine.shards.sync(consensus.state);
  const transfers = new TransferDriver(engine);
  const recovery = new Recovery(engine);
  const interrupted = restarted ? interruptedTransfers(engine) : [];
  let up = false;
  consensus.onChange(() => {
    engine.shards.sync(consensus.state);
    if (!up) return;
    transfers.sync();
    recovery.activate();
  });
  const peers = new PeerServer(peerHandlers(engine));
  if (settings.clusterEnabled) await peers.listen(settings.host, settings.p2pPort);
  consensus.start();
  if (restarted && consensus.uri !== uri) await moveTo(consensus, uri, settings.version);
  const counters = new RequestCounters();
  const rest = new RestServer(engine, allRoutes(engine, counters), counters);
  await rest.listen();
  const grpc = await startGrpc(engine);
  up = true;
  void recovery.abortInterrupted(interrupted).then(() => {
    recovery.start();
    transfers.sync();
    recovery.sync();
  });
  return {
    engine,
    stop: async () => {
      transfers.stop();
      recovery.stop();
      consensus.stop();
      peers.close();
      grpc?.close();
      // Existing REST connections are served on without consensus (S5).
      await rest.drain();
      client.close();
      engine.shards.close();
    },
  };
}

export function normalizeUri(uri: string): string {
  return new URL(uri.includes('://') ? uri : `http://${uri}`).href;
}

const isFirst = (uri: string, bootstrap: string): boolean => normalizeUri(bootstrap) === uri;

async function identity(
  settings: Settings,
  start: { client: PeerClient; uri: string; bootstrap: string | undefined },
): Promise<ConsensusStorage> {
  const { client, uri, bootstrap } = start;
  const present = ConsensusStorage.open(settings.storagePath);
  // Who was once led needs nobody to let it in; who was not and names nobody stays alone, as the server does.
  if (present && (present.hard.term > 0 || bootstrap === undefined || isFirst(uri, bootstrap))) return present;
  const peerId = present?.hard.this_peer_id ?? settings.peerId ?? newPeerId();
  const self = { peerId, uri, version: settings.version };
  if (bootstrap === undefined || isFirst(uri, bootstrap)) return found(settings.storagePath, self);
  // Written before the cluster is asked: a peer that is refused has a state, in term 0 (measured, 1.18.3).
  const storage = present ?? outsider(settings.storagePath, self);
  await join(client, normalizeUri(bootstrap), self);
  return storage;
}

/** A restart under another URI tells the others; one that is alone can't. */
async function moveTo(consensus: Consensus, uri: string, version: string): Promise<void> {
  if (Object.keys(consensus.state.peers).length < 2) throw new Error('Failed to recover from any known peers');
  await consensus.propose({ op: 'peerUri', peerId: consensus.peerId, uri, version });
}
