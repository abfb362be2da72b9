import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export type Page = { readonly path: string; readonly text: string };

/** Every Markdown page at the root and below `docs`. */
export function pages(): Page[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return [...atRoot, ...below].toSorted().map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Text without code: what looks like a link there is none. */
const prose = (text: string): string =>
  text
    .replace(/^ *```[\s\S]*?^ *```/gm, '')
    .replace(/^ {4,}.*$/gm, '')
    .replace(/`[^`\n]*`/g, '');

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchors = (text: string): Set<string> =>
  new Set([...text.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => anchorOf(heading.trim())));

/** Relative links of a page that lead nowhere. */
export function brokenLinks({ path, text }: Page): string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return [`${path}: ${link}`];
    const known = anchor === undefined || anchors(read(target)).has(anchor);
    return known ? [] : [`${path}: ${link} (no such heading)`];
  });
}

/** The YAML blocks of a page, each with the line at which it begins. */
export function yamlBlocks({ path, text }: Page): { readonly source: string; readonly text: string }[] {
  return [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map((match) => {
    const [, indent = '', block = ''] = match;
    const line = text.slice(0, match.index).split('\n').length + 1;
    return { source: `${path}:${line}`, text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
  });
}
