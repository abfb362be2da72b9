import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Names what is wrong, or undefined when nothing is. */
export type HealthCheck = () => string | undefined;

export type HealthServerOptions = {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** Failing = restart me. */
  readonly live: Readonly<Record<string, HealthCheck>>;
  /** Failing = don't count on me yet. */
  readonly ready: Readonly<Record<string, HealthCheck>>;
};

export type HealthServer = { readonly port: number; close(): Promise<void> };

/** Serves `/healthz`, `/readyz` (200 or 503, one line a check, as Kubernetes' own components do) and `/metrics`. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/metrics') {
      void options.registry.metrics().then(
        (body) => response.writeHead(200, { 'content-type': options.registry.contentType }).end(body),
        (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
      );
      return;
    }
    if (path === '/healthz' || path === '/readyz') {
      const { healthy, text } = report(path === '/healthz' ? options.live : options.ready);
      response.writeHead(healthy ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
      return;
    }
    response
      .writeHead(404, { 'content-type': 'text/plain' })
      .end('not found: /healthz, /readyz and /metrics are served\n');
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function report(checks: Readonly<Record<string, HealthCheck>>): { healthy: boolean; text: string } {
  let healthy = true;
  const lines = Object.entries(checks).map(([name, check]) => {
    const problem = check();
    if (problem === undefined) return `[+]${name} ok`;
    healthy = false;
    return `[-]${name} failed: ${problem}`;
  });
  return { healthy, text: `${[...lines, healthy ? 'ok' : 'failed'].join('\n')}\n` };
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
