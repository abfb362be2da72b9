import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  Informer,
  type KubeClient,
  keyOf,
  keyText,
  type Pod,
  SERVICES,
  type Service,
} from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import { slicesOf } from '../controllers/endpoints/decide.ts';
import { type NamedWorld, resolveClusterName } from './cluster-names.ts';
import { serveDns } from './dns-server.ts';
import { hostsLines } from './hosts-file.ts';
import { KeyedTasks } from './keyed-tasks.ts';
import type { Network } from './network.ts';
import { ServiceProxy } from './service-proxy.ts';

/**
 * A real API server refuses loopback addresses in EndpointSlices (`ValidateNonSpecialIP`): there, endpoints come from
 * the pods, by the same rules.
 */
export type EndpointSource = { readonly kind: 'slices' } | { readonly kind: 'pods'; readonly pods: Informer<Pod> };

export type ClusterNetworkOptions = {
  readonly client: KubeClient;
  readonly network: Network;
  readonly podExists: (address: string) => boolean;
  /** Where endpoints are read from: the cluster's slices, or the pods themselves. */
  readonly endpoints: EndpointSource;
  /** Gets all cluster names, beside those of the machine's own hosts file. */
  readonly hostsFile: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

const SERVICE_LABEL = 'kubernetes.io/service-name';
const BY_SERVICE = 'service';
const MACHINE_HOSTS = '/etc/hosts';
/** The key of the task that writes the hosts file; no service has such a one. */
const HOSTS = 'hosts';

const serviceOf = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_LABEL] ?? ''}`;

/** Names and service addresses of the cluster, kept up to date from Services and EndpointSlices. */
export class ClusterNetwork {
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #proxy: ServiceProxy;
  readonly #updates: KeyedTasks;
  readonly #running: Promise<unknown>;
  readonly #endpoints: EndpointSource;
  readonly #hostsFile: string;
  readonly #machineHosts: string;

  constructor(options: ClusterNetworkOptions) {
    const { client, network, podExists, endpoints, hostsFile, log, signal } = options;
    this.#endpoints = endpoints;
    this.#hostsFile = hostsFile;
    this.#machineHosts = existsSync(MACHINE_HOSTS) ? readFileSync(MACHINE_HOSTS, 'utf8') : '';
    this.#proxy = new ServiceProxy({ network, podExists, log });
    this.#services = new Informer({ client, type: SERVICES, log });
    const indexes = { [BY_SERVICE]: (slice: EndpointSlice) => [serviceOf(slice)] };
    this.#slices = new Informer({ client, type: ENDPOINT_SLICES, indexes, log });
    this.#updates = new KeyedTasks((key) => (key === HOSTS ? this.#writeHosts() : this.#update(key)));
    writeFileSync(hostsFile, this.#machineHosts);
    this.#services.onChange(({ object }) => this.#updates.request(keyText(keyOf(object))));
    this.#slices.onChange(({ object }) => this.#updates.request(serviceOf(object)));
    if (endpoints.kind === 'pods') {
      endpoints.pods.onChange(({ object }) => this.podChanged(object.metadata.namespace ?? ''));
    }
    serveDns(network.dnsSocket, (name) => this.resolve(name));
    this.#running = Promise.all([this.#services.start(signal), this.#slices.start(signal)]);
  }

  async whenSynced(): Promise<void> {
    await Promise.all([this.#services.whenSynced(), this.#slices.whenSynced()]);
  }

  /** The addresses of a cluster name; undefined when there is no such name. */
  resolve(name: string): readonly string[] | undefined {
    return resolveClusterName(name, this.#world);
  }

  get #world(): NamedWorld {
    return {
      service: (namespace, service) => this.#services.store.get({ namespace, name: service }),
      slices: (namespace, service) => this.#slicesOf(namespace, service),
      serviceAddress: (namespace, service) => this.#proxy.addressOf(namespace, service),
    };
  }

  #slicesOf(namespace: string, name: string): readonly EndpointSlice[] {
    if (this.#endpoints.kind === 'slices') return this.#slices.store.byIndex(BY_SERVICE, `${namespace}/${name}`);
    const service = this.#services.store.get({ namespace, name });
    const pods = this.#endpoints.pods.store.list(namespace);
    return service === undefined ? [] : (slicesOf(service, pods) ?? []);
  }

  async #writeHosts(): Promise<void> {
    const lines = hostsLines({ ...this.#world, services: this.#services.store.list() });
    // In place: processes have this very file mounted over theirs.
    await writeFile(this.#hostsFile, `${this.#machineHosts}\n${lines.join('\n')}\n`);
  }

  /** A pod is gone, and connections to it end; or another one may take them. */
  podChanged(namespace: string): void {
    for (const service of this.#services.store.list(namespace)) this.#updates.request(keyText(keyOf(service)));
  }

  async #update(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.#services.store.get({ namespace, name });
    if (service === undefined) await this.#proxy.remove(key);
    else await this.#proxy.update(service, this.#slicesOf(namespace, name));
    this.#updates.request(HOSTS);
  }

  /** After its signal aborted: closes every port. */
  async close(): Promise<void> {
    await this.#running;
    await this.#updates.close();
    await this.#proxy.close();
  }
}
