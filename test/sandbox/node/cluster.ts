import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControllerName, startControllers } from '../../../sandbox/controllers/index.ts';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { type NodeAgent, startNodeAgent } from '../../../sandbox/node/agent.ts';
import type { NodeAgentOptions } from '../../../sandbox/node/agent-options.ts';
import { createNetwork } from '../../../sandbox/node/network.ts';
import type { Runtime } from '../../../sandbox/node/process-specification.ts';
import { KubeClient, type KubeObject, NAMESPACES, staticConnection } from '../../../src/kube/index.ts';
import { silentLogger } from '../../../src/telemetry/index.ts';

/** A whole small cluster: API server, controllers, node. */
export type TestCluster = {
  readonly client: KubeClient;
  readonly api: ApiServer;
  readonly agent: NodeAgent;
  readonly directory: string;
  stop(): Promise<void>;
};

export const NAMESPACE = 'team-a';

const RUNTIMES: Readonly<Record<string, Runtime>> = {
  node: { entrypoint: [process.execPath], workingDirectory: '/work' },
};

export async function startTestCluster(
  options: Pick<NodeAgentOptions, 'endpointsFrom'> & { readonly only?: readonly ControllerName[] } = {},
): Promise<TestCluster> {
  const { only, ...agentOptions } = options;
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-'));
  const network = await createNetwork({ ports: [] });
  const api = await startApiServer({ allocateClusterIP: () => network.services.allocate() });
  const connect = (user: string): KubeClient =>
    new KubeClient({ config: staticConnection({ server: api.url, token: api.tokenFor(user), ca: api.caPem }) });
  const [client, forControllers, forNode] = [
    connect('system:admin'),
    connect('system:controllers'),
    connect('system:node:sandbox'),
  ];
  const stopping = new AbortController();
  const { signal } = stopping;
  const log = silentLogger;
  const volumes = join(directory, 'volumes');
  const controllers = await startControllers({
    client: forControllers,
    directory: volumes,
    log,
    signal,
    ...(only === undefined ? {} : { only }),
  });
  const agent = await startNodeAgent({
    client: forNode,
    directory: join(directory, 'node'),
    runtimes: RUNTIMES,
    network,
    apiServer: api,
    backoff: { baseMilliseconds: 50, maximumMilliseconds: 500, resetAfterMilliseconds: 60_000 },
    log,
    signal,
    ...agentOptions,
  });
  api.hooks.podLogs = (source, query) => agent.podLogs(source, query);
  await client.create(NAMESPACES, namespaceOf(NAMESPACE));
  return {
    client,
    api,
    agent,
    directory,
    async stop() {
      await agent.stop();
      await controllers.stop();
      stopping.abort();
      for (const each of [client, forControllers, forNode]) await each.close();
      await api.stop();
      await network.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const namespaceOf = (name: string): KubeObject & { kind: 'Namespace' } => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

/** A tiny HTTP server that answers with its pod's name and keeps a file in its volume. */
export const SERVER = `
  const { POD_NAME, DATA, POD_IP } = process.env;
  const fs = require('node:fs');
  fs.appendFileSync(DATA + '/starts', 'x');
  const server = require('node:http').createServer((request, response) => {
    response.end(POD_NAME + ' ' + fs.readFileSync(DATA + '/starts', 'utf8').length);
  });
  server.listen(18080, POD_IP, () => console.log('listening'));
  process.on('SIGTERM', () => process.exit(0));
`;
