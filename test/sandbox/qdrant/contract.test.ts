import { contract } from './contract.ts';
import { Peers, REAL_BINARY } from './peers.ts';

contract(REAL_BINARY ? 'a real server' : 'the embedded engine', async () => {
  const peers = new Peers();
  const [peer] = await peers.cluster(1);
  if (!peer) throw new Error('no peer');
  return { peers, peer };
});
