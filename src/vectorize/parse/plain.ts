import { hash } from 'node:crypto';
import { Addresses, type Node, type Section } from './node.ts';

/** One paragraph in so many begins a new section: an edit moves chunk borders up to the next such paragraph only. */
const ANCHOR_ONE_IN = 16;

/** Paragraphs, in sections that begin at paragraphs chosen by what they say. */
export function parsePlain(text: string): Section[] {
  const addresses = new Addresses();
  const sections: Section[] = [];
  let nodes: Node[] = [];
  let start = 0;
  let name = 'text';
  const close = (end: number): void => {
    if (nodes.length === 0) return;
    const address = addresses.take(name);
    sections.push({ start, end, bodyFrom: start, address, context: [], nodes, metadata: { kind: 'text' } });
    nodes = [];
    start = end;
  };
  for (const paragraph of paragraphs(text)) {
    const digest = hash('sha1', text.slice(paragraph.start, paragraph.end).trim(), 'hex');
    if (Number.parseInt(digest.slice(0, 6), 16) % ANCHOR_ONE_IN === 0 && nodes.length > 0) {
      close(paragraph.start);
      name = `text:${digest.slice(0, 12)}`;
    }
    nodes.push(paragraph);
  }
  close(text.length);
  return sections;
}

function paragraphs(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  let blank = true;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline + 1;
    const empty = text.slice(at, end).trim() === '';
    if (!empty && blank && hasText(text, from, at)) {
      nodes.push({ start: from, end: at, cut: 'prose' });
      from = at;
    }
    blank = empty;
    at = end;
  }
  nodes.push({ start: from, end: text.length, cut: 'prose' });
  return nodes;
}

const hasText = (text: string, from: number, to: number): boolean => text.slice(from, to).trim() !== '';
