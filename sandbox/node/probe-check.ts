import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { Container, LifecycleHandler, Probe } from './wire.ts';

/** What a probe or hook acts on. `execute` runs a command in the container and gives its exit code. */
export type ProbeTarget = {
  readonly container: Container;
  readonly podIP: string;
  readonly execute: (command: readonly string[], signal: AbortSignal) => Promise<number>;
};

export type CheckResult = { readonly succeeded: boolean; readonly message: string };

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'exec' | 'httpGet'>;
type HttpGet = NonNullable<Probe['httpGet']>;

/** Largest status that counts as success. Source: kubelet `probe/http`. */
const LAST_SUCCESS = 399;

function portNumber(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  return named ?? Number(port);
}

async function httpGet(action: HttpGet, target: ProbeTarget, signal: AbortSignal): Promise<CheckResult> {
  const request = action.scheme === 'HTTPS' ? requestHttps : requestHttp;
  const headers = Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  const status = await new Promise<number>((resolve, reject) => {
    const options = {
      host: action.host ?? target.podIP,
      port: portNumber(action.port as number | string, target.container),
      path: action.path ?? '/',
      headers: { 'user-agent': 'kube-probe/1.36', ...headers },
      agent: false,
      rejectUnauthorized: false,
      signal,
    } as const;
    const sent = request(options, (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
  return { succeeded: status >= 200 && status <= LAST_SUCCESS, message: `HTTP probe answered with status ${status}` };
}

async function tcpConnect(host: string, port: number, signal: AbortSignal): Promise<CheckResult> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
  return { succeeded: true, message: 'connected' };
}

async function perform(handler: Handler, target: ProbeTarget, signal: AbortSignal): Promise<CheckResult> {
  if (handler.httpGet !== undefined) return httpGet(handler.httpGet, target, signal);
  if (handler.tcpSocket !== undefined) {
    const port = portNumber(handler.tcpSocket.port as number | string, target.container);
    return tcpConnect(handler.tcpSocket.host ?? target.podIP, port, signal);
  }
  if (handler.exec !== undefined) {
    const code = await target.execute(handler.exec.command ?? [], signal);
    return { succeeded: code === 0, message: `command ended with exit code ${code}` };
  }
  return { succeeded: false, message: 'grpc probes are not supported by this node agent' };
}

/** Carries out the action of a probe or lifecycle hook once, within `timeoutSeconds`; never throws. */
export async function check(handler: Handler, target: ProbeTarget, timeoutSeconds: number): Promise<CheckResult> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    return await perform(handler, target, signal);
  } catch (error) {
    const reason = signal.aborted ? `no answer within ${timeoutSeconds} s` : (error as Error).message;
    return { succeeded: false, message: reason };
  }
}
