import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString as plainText } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';

/** Chunks are made of blocks: what is inside a paragraph takes half of the time and is not looked at. */
const BLOCKS_ONLY = {
  disable: {
    null: [
      'attention',
      'autolink',
      'characterEscape',
      'characterReference',
      'codeText',
      'hardBreakEscape',
      'htmlText',
      'labelEnd',
      'labelStartImage',
      'labelStartLink',
      'strikethrough',
      'tasklistCheck',
      'wwwAutolink',
      'protocolAutolink',
      'emailAutolink',
      'gfmFootnoteCall',
      'gfmPotentialFootnoteCall',
    ],
  },
};

const SYNTAX = [gfm(), BLOCKS_ONLY];

/** Without what looks for addresses in the text of every paragraph. */
const MDAST = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/** The blocks of a part of a document; what is inside paragraphs is left as text. */
export const blocksOf = (text: string): Root => fromMarkdown(text, { extensions: SYNTAX, mdastExtensions: MDAST });

const LONGEST_INLINE = 1000;

/** What a heading or the first line of a task says, without marks. */
export function inlineText(text: string): string {
  const short = text.slice(0, LONGEST_INLINE).toWellFormed();
  if (!/[*_`[\]<>&\\~!]/.test(short)) return short.replace(/\s+/g, ' ').trim();
  const root = fromMarkdown(short, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  return plainText(root).replace(/\s+/g, ' ').trim();
}

/** Range of a node in the text that was parsed. */
export function rangeOf(node: Nodes): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}
