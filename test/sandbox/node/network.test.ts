import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { serveDns } from '../../../sandbox/node/dns-server.ts';
import { readQuestion, writeAnswer } from '../../../sandbox/node/dns-wire.ts';
import { AddressPool, createNetwork } from '../../../sandbox/node/network.ts';

test('two sandboxes on one machine have networks of their own', async () => {
  const [one, other] = [await createNetwork({ ports: [] }), await createNetwork({ ports: [] })];
  assert.notEqual(one.prefix, other.prefix);
  assert.ok(one.owns(one.pods.allocate()) && !one.owns(other.pods.allocate()));
  await Promise.all([one.close(), other.close()]);
});

test('a port that a program has on all addresses is named', async () => {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await assert.rejects(createNetwork({ ports: [port] }), { message: new RegExp(`port ${port} is taken`) });
  server.close();
});

test('an address is given again only after all others', () => {
  const pool = new AddressPool('127.9', { first: 0x0101, last: 0x0104 });
  const first = pool.allocate();
  assert.equal(first, '127.9.1.1');
  pool.release(first);
  assert.deepEqual(
    [pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()],
    ['127.9.1.2', '127.9.1.3', '127.9.1.4', '127.9.1.1'],
  );
  assert.throws(() => pool.allocate(), RangeError);
});

test('addresses that are in use are never given twice', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (takes) => {
      const pool = new AddressPool('127.9', { first: 0x01fa, last: 0x0208 });
      const used: string[] = [];
      for (const take of takes) {
        if (!take || used.length >= 12) {
          const back = used.shift();
          if (back !== undefined) pool.release(back);
          continue;
        }
        const address = pool.allocate();
        assert.ok(!used.includes(address) && !address.endsWith('.0') && !address.endsWith('.255'));
        used.push(address);
      }
    }),
  );
});

test('the DNS server answers what it knows, says no to what does not exist, and has no other types', async () => {
  const network = await createNetwork({ ports: [] });
  serveDns(network.dnsSocket, (name) => (name === 'web.team-a.svc' ? ['127.9.1.1', '127.9.1.2'] : undefined));
  const resolver = new Resolver();
  resolver.setServers([network.dnsServer]);
  assert.deepEqual(await resolver.resolve4('WEB.team-a.svc'), ['127.9.1.1', '127.9.1.2']);
  await assert.rejects(resolver.resolve4('other.team-a.svc'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve6('web.team-a.svc'), { code: 'ENODATA' });
  await network.close();
});

test('whatever arrives as a query, it is read or left alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const question = readQuestion(Buffer.from(bytes));
      if (question !== undefined) assert.ok(writeAnswer(Buffer.from(bytes), question, ['127.9.1.1']).length <= 512);
    }),
  );
});

test('a preloaded process asks the sandbox for cluster names, and the system for all others', async () => {
  const network = await createNetwork({ ports: [] });
  serveDns(network.dnsSocket, (name) => (name === 'web.team-a.svc' ? ['127.9.1.1'] : undefined));
  const script = `
    const { lookup } = require('node:dns');
    const { lookup: promised } = require('node:dns/promises');
    lookup('web.team-a.svc.', (error, address, family) => console.log(error, address, family));
    lookup('web.team-a.svc', { all: true }, (error, addresses) => console.log(error, JSON.stringify(addresses)));
    lookup('gone.team-a.svc', (error) => console.log(error.code));
    promised('localhost', 4).then(({ address }) => console.log(address));
    promised('web.team-a.svc').then(({ address }) => console.log(address));
  `;
  const hook = new URL('../../../sandbox/node/dns-hook.ts', import.meta.url).href;
  const environment = { ...process.env, NODE_OPTIONS: `--import ${hook}`, SANDBOX_DNS: network.dnsServer };
  const child = spawn(process.execPath, ['-e', script], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, 'close');
  const expected = [
    'null 127.9.1.1 4',
    'null [{"address":"127.9.1.1","family":4}]',
    'ENOTFOUND',
    '127.0.0.1',
    '127.9.1.1',
  ];
  assert.deepEqual(new Set(output.trim().split('\n')), new Set(expected));
  await network.close();
});
