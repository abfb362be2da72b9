import { createRequire } from 'node:module';
import { Language as Grammar, Parser } from 'web-tree-sitter';
import { LANGUAGES, type Language } from './languages.ts';

export type Grammars = ReadonlyMap<Language, Grammar>;

const resolve = createRequire(import.meta.url).resolve;
const loading = new Map<Language, Promise<Grammar>>();
let started: Promise<void> | undefined;

/** Loads the grammars of languages, each once per process: 5 to 30 ms and 5 MB each. */
export async function loadGrammars(languages: readonly Language[] = LANGUAGES): Promise<Grammars> {
  started ??= Parser.init();
  await started;
  const entries = languages.map(async (language): Promise<[Language, Grammar]> => {
    const known = loading.get(language) ?? Grammar.load(fileOf(language));
    loading.set(language, known);
    return [language, await known];
  });
  return new Map(await Promise.all(entries));
}

const fileOf = (language: Language): string => resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${language}.wasm`);
