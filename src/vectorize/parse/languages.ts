/** Names as the grammars' files have them. */
export type Language =
  | 'typescript'
  | 'tsx'
  | 'javascript'
  | 'python'
  | 'go'
  | 'bash'
  | 'java'
  | 'rust'
  | 'cpp'
  | 'c-sharp'
  | 'php'
  | 'ruby';

const ENDINGS: Readonly<Record<string, Language>> = {
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  py: 'python',
  pyi: 'python',
  go: 'go',
  sh: 'bash',
  bash: 'bash',
  java: 'java',
  rs: 'rust',
  c: 'cpp',
  h: 'cpp',
  cc: 'cpp',
  cpp: 'cpp',
  cxx: 'cpp',
  hpp: 'cpp',
  cs: 'c-sharp',
  php: 'php',
  rb: 'ruby',
};

export const LANGUAGES: readonly Language[] = [...new Set(Object.values(ENDINGS))];

/** @returns undefined for a path whose ending is of no language that has a grammar */
export function languageOf(path: string): Language | undefined {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  return ending === undefined || !Object.hasOwn(ENDINGS, ending) ? undefined : ENDINGS[ending];
}
