import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Watchdog } from '../../../sandbox/node/watchdog.ts';
import { Daemon } from './daemon.ts';

export type EtcdOptions = { readonly file: string; readonly directory: string; readonly watchdog: Watchdog };

/** The storage of one API server, on a socket that only the owner of its directory can reach. */
export class Etcd {
  readonly #daemon: Daemon;
  readonly #socket: string;

  private constructor(daemon: Daemon, socket: string) {
    this.#daemon = daemon;
    this.#socket = socket;
  }

  static async start({ file, directory, watchdog }: EtcdOptions): Promise<Etcd> {
    const socket = join(directory, 'etcd.sock');
    // Alone it has no peers, and its one client knows the socket: nobody is told these.
    const nobody = 'http://127.0.0.1:1';
    const daemon = await Daemon.start({
      name: 'etcd',
      file,
      directory,
      watchdog,
      arguments: [
        `--data-dir=${join(directory, 'etcd')}`,
        `--listen-client-urls=unix://${socket}`,
        `--advertise-client-urls=${nobody}`,
        `--listen-peer-urls=unix://${join(directory, 'etcd-peer.sock')}`,
        `--initial-advertise-peer-urls=${nobody}`,
        `--initial-cluster=default=${nobody}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
    });
    const etcd = new Etcd(daemon, socket);
    try {
      await daemon.untilReady(
        async () => ((await etcd.#call('GET', '/health')) as { health?: string }).health === 'true',
      );
    } catch (error) {
      await daemon.kill();
      throw error;
    }
    return etcd;
  }

  /** As `--etcd-servers` takes it. */
  get url(): string {
    return `unix://${this.#socket}`;
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  /** Forgets every version of every object but the present one. */
  async compact(): Promise<void> {
    type Range = { readonly header: { readonly revision: string } };
    const anyKey = Buffer.from('\0').toString('base64');
    const { header } = (await this.#call('POST', '/v3/kv/range', { key: anyKey })) as Range;
    await this.#call('POST', '/v3/kv/compaction', { revision: header.revision, physical: true });
  }

  /** Source: etcd's gRPC gateway. */
  #call(method: string, path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, method, path }, (response) => {
        json(response).then((answer) => {
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`etcd answers ${response.statusCode} to ${path}: ${JSON.stringify(answer)}`));
        }, reject);
      });
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async stop(): Promise<void> {
    await this.#daemon.kill();
  }
}
