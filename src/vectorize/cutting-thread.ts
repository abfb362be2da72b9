/** The thread behind `cuttingThread`. Tells the name of its tokenizer when it is ready. */
import { parentPort } from 'node:worker_threads';
import { chunkDocument, loadGrammars, loadTokenizer } from './chunk.ts';
import type { CutAnswer, CutRequest } from './cutting-threads.ts';
import { DocumentError } from './document.ts';

const tools = { tokenizer: await loadTokenizer(), grammars: await loadGrammars() };

function answerOf({ document, options }: CutRequest): CutAnswer {
  try {
    return { chunks: chunkDocument(document, options, tools) };
  } catch (error) {
    if (error instanceof DocumentError) return { refused: { reason: error.reason, message: error.message } };
    return { failed: error instanceof Error ? error.message : 'unknown failure' };
  }
}

parentPort?.on('message', (request: CutRequest) => parentPort?.postMessage(answerOf(request)));
parentPort?.postMessage(tools.tokenizer.name);
