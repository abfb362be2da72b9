import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { own, removeLeftovers } from '../../../e2e/grounds/node/down.ts';
import { MARK } from '../../../e2e/grounds/node/layout.ts';

const before = process.env['TMPDIR'];
/** Grounds of this kind are for Linux. */
const linux = { skip: process.platform !== 'linux' };

const folder = await mkdtemp(join(tmpdir(), 'down-test-'));
process.env['TMPDIR'] = folder;
after(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  await rm(folder, { recursive: true });
});

test('what a run left that is dead is removed; what a living one has, and what is no run, stays', linux, async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  for (const name of [`${MARK}dead`, `${MARK}reused`, `${MARK}alive`, `${MARK}young`, 'another']) {
    await mkdir(join(folder, name));
  }
  await writeFile(join(folder, `${MARK}dead`, 'owner'), `${child.pid} 1`);
  await writeFile(join(folder, `${MARK}reused`, 'owner'), `${process.pid} 1`);
  await own(join(folder, `${MARK}alive`));
  await utimes(join(folder, 'another'), 0, 0);

  const removed = await removeLeftovers();
  assert.deepEqual(removed.toSorted(), [`${MARK}dead`, `${MARK}reused`]);
  assert.deepEqual((await readdir(folder)).toSorted(), ['another', `${MARK}alive`, `${MARK}young`]);
});
