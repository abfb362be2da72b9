import assert from 'node:assert/strict';

/** What a page of docs/ tells its reader to type: indented lines, and blocks marked `sh`, in the order of the page. */
export function commandsOf(page: string): string[] {
  const commands: string[] = [];
  let fence: { readonly language: string; readonly lines: string[] } | undefined;
  for (const line of page.split('\n')) {
    const [, language] = /^```(.*)$/.exec(line) ?? [];
    if (fence === undefined && language !== undefined) fence = { language, lines: [] };
    else if (fence !== undefined && language === '') {
      if (fence.language === 'sh') commands.push(...joined(fence.lines));
      fence = undefined;
    } else if (fence !== undefined) fence.lines.push(line);
    else if (line.startsWith('    ')) commands.push(line.trim());
  }
  assert.equal(fence, undefined, 'a block has no end');
  return commands;
}

/** Lines of a block as commands: one that ends with a backslash or is further indented goes on. */
function joined(lines: readonly string[]): string[] {
  const commands: string[] = [];
  for (const line of lines) {
    const last = commands.at(-1);
    if (last !== undefined && (last.endsWith('\\') || /^\s/.test(line)))
      commands[commands.length - 1] = `${last}\n${line}`;
    else if (line !== '' && !line.startsWith('#')) commands.push(line);
  }
  return commands;
}

/** The block after "Save this as `<file>`". */
export function manifestOf(page: string, file: string): string {
  const [, after = ''] = page.split(`ave this as \`${file}\``);
  const [, block = ''] = /^[^`]*```yaml\n([\s\S]*?)^```/m.exec(after) ?? [];
  assert.notEqual(block, '', `the page has no block for ${file}`);
  return block;
}
