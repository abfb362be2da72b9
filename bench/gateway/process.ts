/** A gateway in a process of its own, over a Kubernetes that is a table. Prints its URL; draws sketches on each line read. */
import { createInterface } from 'node:readline';
import { World } from '../../test/gateway/world.ts';

export type Libraries = readonly { readonly name: string; readonly cluster: string; readonly url: string }[];

const libraries = JSON.parse(process.argv[2] ?? '[]') as Libraries;
const world = new World();
for (const { name, cluster, url } of libraries) {
  world.putCluster(cluster, url);
  world.putLibrary(name, { cluster, url });
}
const url = await world.gateway();
process.stdout.write(`${url}\n`);
for await (const _line of createInterface({ input: process.stdin })) {
  await world.last.sketchNow(new AbortController().signal);
  process.stdout.write('drawn\n');
}
await world.close();
