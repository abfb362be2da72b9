import { after, before, describe } from 'node:test';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { contract } from './contract.ts';
import { type RealServer, startRealServer, whyNotReal } from './real.ts';

describe('the embedded API server keeps the contract', () => {
  let server: ApiServer | undefined;
  before(async () => {
    let addresses = 0;
    server = await startApiServer({ allocateClusterIP: () => `127.80.0.${++addresses}` });
  });
  after(() => server?.stop());
  contract(() => {
    const running = server;
    if (running === undefined) throw new Error('the server is not ready');
    const { url, caPem } = running;
    return { url, caPem, token: running.tokenFor('system:admin'), compact: () => running.compact() };
  });
});

describe('a real API server keeps the contract', { skip: whyNotReal }, () => {
  let server: RealServer | undefined;
  before(async () => {
    server = await startRealServer();
  });
  after(() => server?.stop());
  contract(() => {
    if (server === undefined) throw new Error('the server is not ready');
    return server;
  });
});
