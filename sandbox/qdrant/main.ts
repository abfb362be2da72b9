import { parseArgs } from 'node:util';
import { startNode } from './node.ts';
import { readSettings } from './settings.ts';

/** The server's exit status after a panic. */
const PANIC_STATUS = 101;

const { values } = parseArgs({
  options: {
    uri: { type: 'string' },
    bootstrap: { type: 'string' },
    'config-path': { type: 'string' },
    'disable-telemetry': { type: 'boolean' },
  },
});

try {
  const settings = readSettings(process.env, values['config-path']);
  const node = await startNode(settings, {
    uri: values.uri ?? process.env.QDRANT_URI,
    bootstrap: values.bootstrap ?? process.env.QDRANT_BOOTSTRAP,
  });
  const { peerId } = node.engine;
  process.stderr.write(
    `qdrant ${settings.version} (embedded engine): peer ${peerId} on ${settings.host}:${settings.httpPort}\n`,
  );
  const stop = (): void => {
    void node.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  process.stderr.write(`Panic: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(PANIC_STATUS);
}
