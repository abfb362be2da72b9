import { type Chunk, type ChunkOptions, type Document, DocumentError, type Metadata } from '../document.ts';
import { type Form, formOf } from '../form.ts';
import { chunkId, contentHash } from '../identity.ts';
import { parseCode } from '../parse/code.ts';
import type { Grammars } from '../parse/grammars.ts';
import { parseJson } from '../parse/json.ts';
import { parseMarkdown } from '../parse/markdown.ts';
import type { Section } from '../parse/node.ts';
import { parsePlain } from '../parse/plain.ts';
import { sectionsOfRuns } from '../parse/runs.ts';
import { parseSql } from '../parse/sql.ts';
import { parseYaml } from '../parse/yaml.ts';
import { readText, type SourceText } from '../source-text.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { Heads } from './context.ts';
import { type Piece, packSection } from './pack.ts';

export type ChunkTools = {
  readonly tokenizer: Tokenizer;
  /** Code in a language that is not among them is cut by lines. */
  readonly grammars?: Grammars;
};

/** Half of a budget, at four characters per token. */
const LARGE_CHARACTERS_PER_TOKEN = 2;

/**
 * Cuts a document into chunks of at most `maxTokens`, the same ones each time.
 *
 * Their ranges leave out nothing but blanks, and overlap by at most `overlapTokens`.
 * @throws DocumentError for what is no text: Binary, TooLarge, NotUtf8, Empty
 * @throws RangeError for options that can't be kept
 */
export function chunkDocument(document: Document, options: ChunkOptions, tools: ChunkTools): Chunk[] {
  checkOptions(options);
  const source = readText(document, options.maxBytes);
  const parsed = parse(source.text, formOf(document, options.strategy), { tools, maxTokens: options.maxTokens });
  try {
    return chunksOf(document, source, { sections: parsed.sections, options, tools });
  } finally {
    parsed.close();
  }
}

function checkOptions({ maxTokens, overlapTokens }: ChunkOptions): void {
  if (!(maxTokens >= 16)) throw new RangeError(`maxTokens is ${maxTokens}, less than 16`);
  if (!(overlapTokens >= 0 && overlapTokens < maxTokens)) {
    throw new RangeError(`overlapTokens is ${overlapTokens}, not between 0 and maxTokens (${maxTokens})`);
  }
}

type Parsed = { readonly sections: readonly Section[]; readonly close: () => void };
type ParseOptions = { readonly tools: ChunkTools; readonly maxTokens: number };

const nothing = (): void => {};

function parse(text: string, form: Form, { tools, maxTokens }: ParseOptions): Parsed {
  const large = maxTokens * LARGE_CHARACTERS_PER_TOKEN;
  const config = (kind: string): { large: number; metadata: Metadata } => ({ large, metadata: { kind } });
  switch (form.kind) {
    case 'markdown':
      return { sections: parseMarkdown(text, form), close: nothing };
    case 'code': {
      const { language } = form;
      const { nodes, hasErrors, close } = parseCode(text, language, tools.grammars ?? new Map());
      const syntax = nodes === undefined ? 'None' : hasErrors ? 'Broken' : 'Whole';
      const whole = { start: 0, end: text.length, cut: 'lines' } as const;
      const metadata: Metadata = { kind: 'code', language, syntax };
      return { sections: sectionsOfRuns(text, nodes ?? [whole], { large, metadata }), close };
    }
    case 'yaml':
      return { sections: sectionsOfRuns(text, parseYaml(text), config('yaml')), close: nothing };
    case 'json':
      return { sections: sectionsOfRuns(text, parseJson(text), config('json')), close: nothing };
    case 'sql':
      return { sections: sectionsOfRuns(text, parseSql(text), config('sql')), close: nothing };
    case 'text':
      return { sections: parsePlain(text), close: nothing };
  }
}

type Making = { readonly sections: readonly Section[]; readonly options: ChunkOptions; readonly tools: ChunkTools };

function chunksOf(document: Document, source: SourceText, { sections, options, tools }: Making): Chunk[] {
  const { tokenizer } = tools;
  const { maxTokens, overlapTokens } = options;
  const heads = new Heads(tokenizer, maxTokens);
  const packing = { text: source.text, tokenizer, heads, maxTokens, overlapTokens };
  const ordinals = new Map<string, number>();
  const lineAt = lineCounter(source.text);
  const chunks = sections.flatMap((section) =>
    packSection(section, packing).map((piece): Chunk => {
      const address = piece.names.length === 0 ? section.address : piece.names.join('/');
      const ordinal = ordinals.get(address) ?? 0;
      ordinals.set(address, ordinal + 1);
      return {
        id: chunkId({ source: document.source, path: document.path, address, ordinal }),
        document: document.path,
        address,
        ordinal,
        text: piece.text,
        start: source.byteAt(piece.start),
        end: source.byteAt(piece.end),
        tokens: piece.tokens,
        hash: contentHash(piece.text),
        metadata: metadataOf(section, piece, lineAt),
      };
    }),
  );
  if (chunks.length === 0) throw new DocumentError('Empty', document.path, `${document.path} holds no text`);
  return chunks;
}

function metadataOf(
  { metadata }: Section,
  { start, end, scopes }: Piece,
  lineAt: (offset: number) => number,
): Metadata {
  const enclosing = scopes.length === 0 ? {} : { enclosing: scopes };
  return { ...metadata, ...enclosing, lines: [lineAt(start), lineAt(Math.max(start, end - 1))] };
}

/** Line numbers from 1. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
