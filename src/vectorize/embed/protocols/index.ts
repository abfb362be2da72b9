import type { Protocol } from '../types.ts';
import type { Dialect, DialectOptions } from './dialect.ts';
import { gemini } from './gemini.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { tei } from './tei.ts';

const DIALECTS: Readonly<Record<Protocol, (options: DialectOptions) => Dialect>> = {
  Ollama: ollama,
  OpenAI: openai,
  TEI: tei,
  Gemini: gemini,
};

export const dialectOf = (protocol: Protocol, options: DialectOptions): Dialect => DIALECTS[protocol](options);
