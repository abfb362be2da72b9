import type { Heading, RootContent } from 'mdast';
import type { Metadata } from '../document.ts';
import { frontMatterOf } from './front-matter.ts';
import { markdownNode } from './markdown-nodes.ts';
import { markdownSegments } from './markdown-segments.ts';
import { blocksOf, inlineText, rangeOf } from './markdown-syntax.ts';
import type { Section } from './node.ts';
import { Outline } from './outline.ts';
import { addTasks } from './tasks.ts';

export type MarkdownOptions = {
  /** Whether each task of a list is a section of its own. */
  readonly tasks: boolean;
};

/** What is longer is no heading. */
const LONGEST_HEADING = 1000;

/** One section per heading, with the headings above it as its context. */
export function parseMarkdown(text: string, { tasks }: MarkdownOptions): Section[] {
  const front = frontMatterOf(text);
  const outline = new Outline(0);
  if (front !== undefined) {
    const metadata: Metadata = { kind: 'front-matter', values: front.values };
    outline.begin(0, { address: outline.take('front-matter'), context: [], metadata });
    outline.add({ start: 0, end: front.end, cut: 'lines' });
    outline.begin(front.end);
  }
  for (const { start, end, kind } of markdownSegments(text, front?.end ?? 0)) {
    if (kind !== 'markdown') {
      outline.add({ start, end, cut: kind });
      continue;
    }
    const part = text.slice(start, end);
    for (const block of blocksOf(part).children) addBlock(block);
    function addBlock(block: RootContent): void {
      if (isTitle(block)) {
        const range = rangeOf(block);
        const place = { start: start + range.start, end: start + range.end };
        outline.heading(place, block.depth, inlineText(headingSource(part.slice(range.start, range.end))));
      } else if (tasks && block.type === 'list') {
        addTasks(block, { text, base: start, outline });
      } else {
        outline.add(markdownNode(block, text, start));
      }
    }
  }
  return outline.finish(text.length);
}

const isTitle = (block: RootContent): block is Heading =>
  block.type === 'heading' && rangeOf(block).end - rangeOf(block).start <= LONGEST_HEADING;

/** Without the marks of `# Title #` or of the line below it. */
const headingSource = (source: string): string =>
  source
    .replace(/^ {0,3}#{1,6}(?:[ \t]+|$)/, '')
    .replace(/[ \t]#+[ \t]*$/, '')
    .replace(/\r?\n[ \t]*(?:=+|-+)[ \t]*$/, '');
