export { type ChunkTools, chunkDocument } from './chunk/chunk-document.ts';
export {
  type Chunk,
  type ChunkOptions,
  type Document,
  DocumentError,
  type Json,
  type Metadata,
  type Strategy,
} from './document.ts';
export { type Form, formOf } from './form.ts';
export { contentHash } from './identity.ts';
export { type Grammars, loadGrammars } from './parse/grammars.ts';
export { LANGUAGES, type Language, languageOf } from './parse/languages.ts';
export { type Encoding, loadTokenizer, type Tokenizer } from './tokenizer.ts';
