import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

/** Gives the IPv4 addresses of a cluster name; none = there is no such name. */
export type ClusterResolver = (name: string) => Promise<readonly string[]> | readonly string[];

/** Names that the cluster answers for, and nobody else can. */
const CLUSTER_NAME = /\.svc(?:\.cluster\.local)?\.?$/i;

export const isClusterName = (name: string): boolean => CLUSTER_NAME.test(name);

type Callback = (error: NodeJS.ErrnoException | null, address?: string | LookupAddress[], family?: number) => void;

function failure(name: string, code: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException & { hostname?: string } = new Error(`getaddrinfo ${code} ${name}`);
  return Object.assign(error, { code, syscall: 'getaddrinfo', hostname: name });
}

async function addressesOf(name: string, options: LookupOptions, resolve: ClusterResolver): Promise<LookupAddress[]> {
  const wantsOnlySix = options.family === 6 || options.family === 'IPv6';
  let found: readonly string[];
  try {
    found = wantsOnlySix ? [] : await resolve(name.replace(/\.$/, '').toLowerCase());
  } catch {
    throw failure(name, 'EAI_AGAIN');
  }
  if (found.length === 0) throw failure(name, 'ENOTFOUND');
  return found.map((address) => ({ address, family: 4 }));
}

const normalized = (options: unknown): LookupOptions => {
  if (typeof options === 'number') return { family: options };
  return typeof options === 'object' && options !== null ? options : {};
};

/**
 * Makes `dns.lookup` and `dns.promises.lookup`, which `net.connect` and all that stands on it use, answer for names that
 * end in `.svc` or `.svc.cluster.local`. Every other name goes on to the system's resolver.
 *
 * @returns what undoes it
 */
export function installClusterDns(resolve: ClusterResolver): () => void {
  const system = dns.lookup;
  const systemPromise = dns.promises.lookup;

  const lookup = (name: string, given: unknown, last?: Callback): void => {
    const callback = typeof given === 'function' ? (given as Callback) : last;
    const options = typeof given === 'function' ? {} : normalized(given);
    if (typeof name !== 'string' || callback === undefined || !isClusterName(name)) {
      Reflect.apply(system, dns, last === undefined ? [name, given] : [name, given, last]);
      return;
    }
    addressesOf(name, options, resolve).then(
      (addresses) => {
        const [first] = addresses;
        // Thrown errors of the callback must not become rejections of this promise.
        process.nextTick(() => (options.all === true ? callback(null, addresses) : callback(null, first?.address, 4)));
      },
      (error: NodeJS.ErrnoException) => process.nextTick(() => callback(error)),
    );
  };
  const lookupPromise = async (name: string, given?: unknown): Promise<LookupAddress | LookupAddress[]> => {
    if (!isClusterName(name)) return Reflect.apply(systemPromise, dns.promises, [name, given]);
    const options = normalized(given);
    const addresses = await addressesOf(name, options, resolve);
    const [first] = addresses;
    return options.all === true || first === undefined ? addresses : first;
  };

  Object.assign(dns, { lookup });
  Object.assign(dns.promises, { lookup: lookupPromise });
  syncBuiltinESMExports();
  return () => {
    Object.assign(dns, { lookup: system });
    Object.assign(dns.promises, { lookup: systemPromise });
    syncBuiltinESMExports();
  };
}
