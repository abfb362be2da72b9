import type { Document, Strategy } from './document.ts';
import { type Language, languageOf } from './parse/languages.ts';

/** As what a document is read. */
export type Form =
  | { readonly kind: 'markdown'; readonly tasks: boolean }
  | { readonly kind: 'code'; readonly language: Language }
  | { readonly kind: 'yaml' | 'json' | 'sql' | 'text' };

type Known = 'markdown' | 'yaml' | 'json' | 'sql';

const ENDINGS: ReadonlyMap<string, Known> = new Map([
  ['md', 'markdown'],
  ['mdx', 'markdown'],
  ['markdown', 'markdown'],
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
  ['json', 'json'],
  ['jsonc', 'json'],
  ['sql', 'sql'],
]);

const MEDIA_TYPES: ReadonlyMap<string, Known> = new Map([
  ['text/markdown', 'markdown'],
  ['application/yaml', 'yaml'],
  ['application/x-yaml', 'yaml'],
  ['text/yaml', 'yaml'],
  ['application/json', 'json'],
  ['application/sql', 'sql'],
]);

/**
 * Text reads everything as plain text. The other strategies go by the path's ending, then by the media type; what is
 * unknown after that is Markdown, or plain text where the strategy is Code.
 */
export function formOf({ path, mediaType }: Pick<Document, 'path' | 'mediaType'>, strategy: Strategy): Form {
  if (strategy === 'Text') return { kind: 'text' };
  const language = languageOf(path);
  if (language !== undefined) return { kind: 'code', language };
  const known = ENDINGS.get(ending(path)) ?? MEDIA_TYPES.get(mediaType?.split(';')[0]?.trim().toLowerCase() ?? '');
  const kind = known ?? (strategy === 'Code' ? 'text' : 'markdown');
  return kind === 'markdown' ? { kind, tasks: strategy === 'Tasks' } : { kind };
}

const ending = (path: string): string => /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
