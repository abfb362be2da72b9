import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { relative } from 'node:path';

/** A piece of real text with the payload that a search gives back. */
export type Passage = {
  /** A UUID made of the source's path and the passage's place in it: the same in every run. */
  readonly id: string;
  readonly text: string;
  readonly payload: Readonly<Record<string, string | number>>;
};

const MAX_FILE_CHARACTERS = 60_000;
const PASSAGE_CHARACTERS = 900;

/** At most `limit` sections of Markdown files below `root`, a heading with what stands under it. */
export function documentation(root: string, limit: number): Promise<Passage[]> {
  return collect(`${root}/**/*.md`, limit, (path, text) =>
    text
      .split(/^(?=#{1,4} )/m)
      .filter((section) => section.trim().length > 80)
      .map((section) => ({
        text: section.slice(0, PASSAGE_CHARACTERS),
        heading: /^#{1,4} +(.*)/.exec(section)?.[1] ?? '',
      }))
      .map(({ text: section, heading }) => ({ text: section, payload: { path, package: packageOf(path), heading } })),
  );
}

/** At most `limit` pieces of JavaScript and TypeScript sources below `root`, cut where a top-level declaration begins. */
export function code(root: string, limit: number): Promise<Passage[]> {
  return collect(`${root}/**/{lib,src}/**/*.{js,ts}`, limit, (path, text) =>
    text
      .split(/^(?=(?:export |async )?(?:function|class|const|interface) )/m)
      .filter((piece) => piece.trim().length > 120)
      .map((piece) => ({
        text: piece.slice(0, PASSAGE_CHARACTERS),
        payload: { path, package: packageOf(path), language: path.endsWith('.ts') ? 'typescript' : 'javascript' },
      })),
  );
}

/** At most `limit` package manifests below `root`: name, version, licence, description. */
export function dependencies(root: string, limit: number): Promise<Passage[]> {
  return collect(`${root}/**/package.json`, limit, (path, text) => {
    const manifest = parseManifest(text);
    if (manifest === undefined) return [];
    const { name, version, description = '', license = '', keywords = [] } = manifest;
    const words = Array.isArray(keywords) ? keywords.join(' ') : '';
    return [
      {
        text: `${name} ${description} ${words}`,
        payload: { path, package: name, version, license: typeof license === 'string' ? license : '', description },
      },
    ];
  });
}

type Piece = Pick<Passage, 'text' | 'payload'>;

async function collect(
  pattern: string,
  limit: number,
  cut: (path: string, text: string) => Piece[],
): Promise<Passage[]> {
  const passages = new Map<string, Passage>();
  const root = pattern.slice(0, pattern.indexOf('/**'));
  for await (const file of glob(pattern)) {
    const text = await readFile(file, 'utf8');
    if (text.length > MAX_FILE_CHARACTERS) continue;
    const path = relative(root, file);
    cut(path, text).forEach((piece, index) => {
      if (passages.size < limit) passages.set(`${path}#${index}`, { id: uuid(`${path}#${index}`), ...piece });
    });
    if (passages.size >= limit) break;
  }
  return [...passages.values()];
}

type Manifest = { name: string; version: string; description?: string; license?: unknown; keywords?: unknown };

function parseManifest(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Partial<Manifest>;
    return typeof manifest.name === 'string' && typeof manifest.version === 'string'
      ? (manifest as Manifest)
      : undefined;
  } catch {
    // Test fixtures of packages hold broken manifests on purpose.
    return undefined;
  }
}

const packageOf = (path: string): string => /^(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? '';

function uuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
