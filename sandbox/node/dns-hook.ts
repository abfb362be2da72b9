import { Resolver } from 'node:dns';
import { installClusterDns } from './cluster-dns-client.ts';

/**
 * Preloaded into the processes of pods (`NODE_OPTIONS=--import`): cluster names are asked of the sandbox's DNS server
 * at `SANDBOX_DNS` (address:port). Imports nothing that `node:net` has not loaded anyway.
 */
const server = process.env['SANDBOX_DNS'];

/** The server is on this machine: an answer that takes longer is none. */
const TIMEOUT_MILLISECONDS = 2000;

if (server !== undefined && server !== '') {
  const resolver = new Resolver({ timeout: TIMEOUT_MILLISECONDS, tries: 3 });
  resolver.setServers([server]);
  installClusterDns(
    (name) =>
      new Promise((resolve, reject) => {
        resolver.resolve4(name, (error, addresses) => {
          if (error === null) resolve(addresses);
          else if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') resolve([]);
          else reject(error);
        });
      }),
  );
}
