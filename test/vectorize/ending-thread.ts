/** Cuts as the real thread does, and ends by an error of its own where a document is as large as memory allows. */
import { parentPort } from 'node:worker_threads';
import { chunkDocument, loadTokenizer } from '../../src/vectorize/chunk.ts';
import type { CutRequest } from '../../src/vectorize/cutting-threads.ts';

const tools = { tokenizer: await loadTokenizer() };

parentPort?.on('message', ({ document, options }: CutRequest) => {
  if (document.bytes.length > 1_000_000) throw new Error('too much');
  parentPort?.postMessage({ chunks: chunkDocument(document, options, tools) });
});
parentPort?.postMessage(tools.tokenizer.name);
