import type { EndpointSlice, Service } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { Network } from './network.ts';
import { PortProxy } from './port-proxy.ts';
import { type Backend, servicePorts } from './service-backends.ts';

type Proxied = { readonly address: string; readonly allocated: boolean; readonly ports: Map<number, PortProxy> };

export type ServiceProxyOptions = {
  readonly network: Network;
  /** Whether a pod still has the address. */
  readonly podExists: (address: string) => boolean;
  readonly log: Logger;
};

/** Plays kube-proxy: gives every service with a cluster address one of the sandbox's own and forwards its ports. */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #services = new Map<string, Proxied>();

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
  }

  addressOf(namespace: string, name: string): string | undefined {
    return this.#services.get(`${namespace}/${name}`)?.address;
  }

  /** Brings the ports of a service in line with its newest state. */
  async update(service: Service, slices: readonly EndpointSlice[]): Promise<void> {
    const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
    const { clusterIP, type } = service.spec ?? {};
    if (clusterIP === 'None' || type === 'ExternalName') return this.remove(key);
    const proxied = this.#proxied(key, clusterIP);
    const wanted = servicePorts(service, slices);
    for (const [port, proxy] of proxied.ports) {
      if (wanted.some((candidate) => candidate.port === port)) continue;
      proxied.ports.delete(port);
      await proxy.close();
    }
    const gone = ({ address }: Backend): boolean => !this.#options.podExists(address);
    for (const { port, backends } of wanted) {
      const proxy = proxied.ports.get(port) ?? new PortProxy(proxied.address, port);
      proxied.ports.set(port, proxy);
      try {
        await proxy.update(backends, gone);
      } catch (error) {
        this.#options.log.warn({ service: key, port, err: error }, 'service port not proxied');
      }
    }
  }

  #proxied(key: string, clusterIP: string | undefined): Proxied {
    const known = this.#services.get(key);
    if (known !== undefined) return known;
    const { network } = this.#options;
    // An API server that knows the sandbox's network gives the address itself; a real one has its own range.
    const given = clusterIP !== undefined && network.owns(clusterIP);
    const address = given ? clusterIP : network.services.allocate();
    const proxied: Proxied = { address, allocated: !given, ports: new Map() };
    this.#services.set(key, proxied);
    return proxied;
  }

  async remove(key: string): Promise<void> {
    const proxied = this.#services.get(key);
    if (proxied === undefined) return;
    this.#services.delete(key);
    for (const proxy of proxied.ports.values()) await proxy.close();
    if (proxied.allocated) this.#options.network.services.release(proxied.address);
  }

  async close(): Promise<void> {
    for (const key of [...this.#services.keys()]) await this.remove(key);
  }
}
