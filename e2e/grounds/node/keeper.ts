import { text } from 'node:stream/consumers';
import { down } from './down.ts';

/** Waits until who started it is done with the node, or dead: the kernel closes the pipe then. Ends the node. */
const [, , directory] = process.argv;
if (directory === undefined) throw new Error('which directory?');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
await text(process.stdin);
await down(directory);
