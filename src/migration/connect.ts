import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientOptions, ClusterClient } from '../qdrant/index.ts';
import { API_KEY_FILE, CA_FILE, type SideConfig } from './config.ts';

/** A client of the side's cluster, with the key and the certificate that are mounted in `directory`. */
export async function connectSide(
  side: SideConfig,
  directory: string | undefined,
  options: ClientOptions,
): Promise<ClusterClient> {
  const apiKey = side.apiKey ? await readKey(directory, API_KEY_FILE) : undefined;
  const ca = side.ca ? await readKey(directory, CA_FILE) : undefined;
  const peers = side.peers.map(({ name, rest, grpc }) => ({ name, rest, ...(grpc === undefined ? {} : { grpc }) }));
  return new ClusterClient(
    { peers, ...(apiKey === undefined ? {} : { apiKey: apiKey.trim() }), ...(ca === undefined ? {} : { tls: { ca } }) },
    options,
  );
}

/** @throws Error naming the file, never its content; an empty key is not "no key" (measured) */
export async function readKey(directory: string | undefined, file: string): Promise<string> {
  if (directory === undefined) throw new Error(`no directory is given for ${file}`);
  const text = await readFile(join(directory, file), 'utf8');
  if (text.trim() === '') throw new Error(`${file} is empty`);
  return text;
}
