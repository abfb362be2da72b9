/** `mark`: what an item begins with. */
type Line = { readonly indent: number; text: string; readonly raw?: true; readonly mark?: string };

const SPACES = 2;
const MOST_LEVELS = 16;

/** Markdown, as it is written line by line. */
export class Lines {
  readonly #lines: Line[] = [];
  #current: Line | undefined;
  #depth = 0;
  /** Cells that are open. */
  readonly #cells: string[] = [];
  #row: string[] = [];
  /** Whether the next row is the first of its table: Markdown rules it off. */
  #first = false;

  write(text: string): void {
    const cell = this.#cells.length - 1;
    if (cell >= 0) this.#cells[cell] += text;
    else if (this.#current !== undefined) this.#current.text += text;
    else if (text.trim() !== '') this.#begin(text);
  }

  newLine(): void {
    if (this.#cells.length > 0) this.write(' ');
    else if (!this.#isBare()) this.#current = undefined;
  }

  /** A blank line, unless there is one. */
  gap(): void {
    this.newLine();
    if (this.#isBare()) return;
    if (this.#cells.length > 0 || (this.#lines.at(-1)?.text ?? '') === '') return;
    // A paragraph of an item stays with it.
    if (this.#depth === 0) this.#lines.push({ indent: 0, text: '' });
  }

  beginList(): void {
    this.gap();
    this.#depth += 1;
  }

  endList(): void {
    this.#depth = Math.max(0, this.#depth - 1);
    this.newLine();
  }

  item(mark: string): void {
    this.#begin(mark, Math.max(0, this.#depth - 1), { mark });
  }

  beginTable(): void {
    this.gap();
    this.#first = true;
  }

  beginCell(): void {
    this.#cells.push('');
  }

  endCell(): void {
    const text = (this.#cells.pop() ?? '').replace(/\s+/g, ' ').trim().replaceAll('|', '\\|');
    this.#row.push(text);
  }

  endRow(): void {
    const row = this.#row;
    this.#row = [];
    if (row.length === 0) {
      this.newLine();
      return;
    }
    this.#verbatim(`| ${row.join(' | ')} |`);
    if (this.#first) this.#verbatim(`|${' --- |'.repeat(row.length)}`);
    this.#first = false;
  }

  fence(code: string, language: string): void {
    const body = code.replace(/^\n/, '').trimEnd();
    if (this.#cells.length > 0 || body.trim() === '') {
      this.write(` ${body} `);
      return;
    }
    const longest = (body.match(/`{3,}/g) ?? []).reduce((most, { length }) => Math.max(most, length), 2);
    const mark = '`'.repeat(longest + 1);
    this.gap();
    for (const line of [mark + language, ...body.split('\n'), mark]) this.#verbatim(line);
    this.#lines.push({ indent: 0, text: '' });
  }

  toString(): string {
    // An item with nothing in it is none.
    const told = this.#lines.filter(({ text, mark }) => text !== mark);
    const texts = told.map(({ indent, text, raw }) =>
      raw ? text : ' '.repeat(Math.min(indent, MOST_LEVELS) * SPACES) + text.replace(/[^\S\n]+/g, ' ').trim(),
    );
    return texts.join('\n').trim();
  }

  /** Nothing but an item's mark: what comes next stands beside it. */
  #isBare(): boolean {
    return this.#current?.mark !== undefined && this.#current.text === this.#current.mark;
  }

  #begin(text: string, indent = this.#depth, more: Pick<Line, 'mark'> = {}): void {
    this.#current = { indent, text, ...more };
    this.#lines.push(this.#current);
  }

  #verbatim(text: string): void {
    this.#current = undefined;
    this.#lines.push({ indent: 0, text, raw: true });
  }
}
