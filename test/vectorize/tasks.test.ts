import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut as cutBy } from './cutting.ts';

const cut = (text: string, maxTokens = 512) => cutBy('tasks.md', text, { strategy: 'Tasks', maxTokens });

const PLAN = `# Plan

Before.

- [x] T001 Create the [repo](https://example.com)
- [ ] T002 Build it (depends on T001 and T003)
  More about it.
  - [ ] T003 Write tests
  - [/] 1.2 Document \`it\`, see #12 and [other](#other)
    - a note

  Closing words.
- plain
  - [-] dropped

After.
`;

test('each task is a chunk that names its parents and children', () => {
  assert.deepEqual(
    cut(PLAN).map(({ address, ordinal, text }) => [`${address}#${ordinal}`, text]),
    [
      ['plan#0', 'Plan\n\nBefore.'],
      ['plan/task:t001#0', 'Plan\n\n- [x] T001 Create the [repo](https://example.com)'],
      [
        'plan/task:t002#0',
        'Plan\nSubtasks: T003 Write tests; 1.2 Document it, see #12 and other\n\n' +
          '- [ ] T002 Build it (depends on T001 and T003)\n  More about it.',
      ],
      ['plan/task:t002/task:t003#0', 'Plan > T002 Build it (depends on T001 and T003)\n\n- [ ] T003 Write tests'],
      [
        'plan/task:t002/task:1.2#0',
        'Plan > T002 Build it (depends on T001 and T003)\n\n' +
          '- [/] 1.2 Document `it`, see #12 and [other](#other)\n    - a note',
      ],
      ['plan/task:t002#1', 'Plan\nSubtasks: T003 Write tests; 1.2 Document it, see #12 and other\n\n  Closing words.'],
      ['plan#1', 'Plan\nSubtasks: dropped\n\n- plain'],
      ['plan/task:plain/task:dropped#0', 'Plan > plain\n\n- [-] dropped'],
      ['plan#2', 'Plan\n\nAfter.'],
    ],
  );
});

test('a task tells its state, key, family and references', () => {
  const tasks = cut(PLAN).filter(({ metadata }) => metadata['kind'] === 'task');
  assert.deepEqual(
    tasks.map(({ metadata: { state, key } }) => [key, state]),
    [
      ['T001', 'Done'],
      ['T002', 'Open'],
      ['T003', 'Open'],
      ['1.2', 'InProgress'],
      ['T002', 'Open'],
      [undefined, 'Cancelled'],
    ],
  );
  assert.deepEqual(tasks[1]?.metadata['dependsOn'], ['T001', 'T003']);
  assert.deepEqual(tasks[3]?.metadata['references'], ['#12', '#other']);
  assert.deepEqual(tasks[3]?.metadata['parents'], ['T002 Build it (depends on T001 and T003)']);
  assert.deepEqual(tasks[1]?.metadata['children'], ['T003 Write tests', '1.2 Document it, see #12 and other']);
});

test('a task that is done later keeps its id, and the others keep theirs with their hashes', () => {
  const before = cut(PLAN);
  const after = cut(PLAN.replace('- [ ] T003', '- [x] T003'));
  const changed = before.filter(({ hash }, at) => hash !== after[at]?.hash).map(({ address }) => address);
  assert.deepEqual(changed, ['plan/task:t002/task:t003']);
  assert.deepEqual(
    after.map(({ id }) => id),
    before.map(({ id }) => id),
  );
});

test('a list of thousands of tasks is cut in parts that meet between tasks', () => {
  const count = 2_000;
  const list = Array.from({ length: count }, (_, at) => `- [ ] T${at + 100} Do the thing\n`).join('');
  const chunks = cut(list);
  assert.equal(chunks.length, count);
  assert.deepEqual(chunks.at(-1)?.address, `/task:t${count + 99}`);
});
