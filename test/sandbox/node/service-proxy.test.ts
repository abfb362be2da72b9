import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createNetwork, type Network } from '../../../sandbox/node/network.ts';
import { PortProxy } from '../../../sandbox/node/port-proxy.ts';
import { ServiceProxy } from '../../../sandbox/node/service-proxy.ts';
import type { EndpointSlice, Service } from '../../../src/kube/index.ts';
import { silentLogger } from '../../../src/telemetry/index.ts';

const PORT = 7000;
let network: Network;
const servers: Server[] = [];

/** A server that greets with its name and echoes. */
async function serve(name: string): Promise<string> {
  const address = network.pods.allocate();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(name);
    socket.pipe(socket);
  });
  server.listen(PORT, address);
  await once(server, 'listening');
  servers.push(server);
  return address;
}

async function greeting(address: string, port: number): Promise<{ text: string; socket: Socket }> {
  const socket = connect({ host: address, port });
  socket.on('error', () => undefined);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return { text: chunk.toString(), socket };
}

before(async () => {
  network = await createNetwork({ ports: [] });
});
after(async () => {
  for (const server of servers) server.close();
  await network.close();
});

test('connections go to the backends in turn, and bytes go both ways', async () => {
  const [a, b] = [await serve('a'), await serve('b')];
  const host = network.services.allocate();
  const port = new PortProxy(host, 80);
  await port.update(
    [a, b].map((backend) => ({ address: backend, port: PORT })),
    () => false,
  );
  const one = await greeting(host, 80);
  const other = await greeting(host, 80);
  assert.deepEqual(new Set([one.text, other.text]), new Set(['a', 'b']));
  one.socket.write('ping');
  const [echo] = (await once(one.socket, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'ping');
  await port.close();
});

test('with no backend connections are refused', async () => {
  const host = network.services.allocate();
  const port = new PortProxy(host, 80);
  await port.update([{ address: await serve('c'), port: PORT }], () => false);
  await port.update([], () => false);
  const socket = connect({ host, port: 80 });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  await port.close();
});

test('connections to a pod that is gone end, those to one that is not ready stay', async () => {
  const [a, b] = [await serve('a'), await serve('b')];
  const host = network.services.allocate();
  const port = new PortProxy(host, 80);
  const backends = [a, b].map((address) => ({ address, port: PORT }));
  await port.update(backends, () => false);
  const first = await greeting(host, 80);
  const second = await greeting(host, 80);
  const [toA, toB] = first.text === 'a' ? [first, second] : [second, first];
  await port.update([], ({ address }) => address === a);
  await once(toA.socket, 'close');
  toB.socket.write('still');
  const [echo] = (await once(toB.socket, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'still');
  await port.close();
  await once(toB.socket, 'close');
});

test('a service keeps its address while its ports and pods change', async () => {
  const proxy = new ServiceProxy({ network, podExists: () => true, log: silentLogger });
  const backend = await serve('d');
  const service = (port: number, clusterIP = '10.0.0.1'): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'team-a' },
    spec: { clusterIP, ports: [{ name: 'http', port }] },
  });
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web', namespace: 'team-a' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: PORT }],
    endpoints: [{ addresses: [backend] }],
  };
  await proxy.update(service(80), [slice]);
  const address = proxy.addressOf('team-a', 'web') ?? '';
  assert.ok(network.owns(address));
  const { text, socket } = await greeting(address, 80);
  assert.equal(text, 'd');
  socket.destroy();
  await proxy.update(service(81), [slice]);
  assert.equal(proxy.addressOf('team-a', 'web'), address);
  await assert.rejects(greeting(address, 80));
  (await greeting(address, 81)).socket.destroy();
  await proxy.update(service(81, 'None'), [slice]);
  assert.equal(proxy.addressOf('team-a', 'web'), undefined);
  await proxy.close();
});
