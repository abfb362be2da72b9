import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Asked,
  type AskedQuestion,
  answerFacts,
  FLOORS,
  routingFacts,
} from '../../../sandbox/run/answer-facts.ts';
import type { Answer } from '../../../sandbox/run/answers.ts';

const HITS = 10;

/** An answer whose first hit is of one library and whose others are of another; two of four libraries were asked. */
const answer = (first: string, change: Partial<Answer['coverage']['libraries']> = {}): Answer => ({
  hits: Array.from({ length: HITS }, (_, at) => ({
    library: at === 0 ? first : 'rest',
    id: at,
    score: 1 - at / 10,
    payload: { document: 'a.md', heading: 'A' },
  })),
  coverage: {
    libraries: { known: 4, asked: ['docs', 'rest'], unsketched: [], failed: [], notOpened: 0, ...change },
    clusters: { known: 3, asked: 1 },
    points: { total: 200, searched: 50 },
  },
});

const asked = (first: string, recall = 1): AskedQuestion => ({
  question: { library: 'docs', text: `about ${first}?` },
  answer: answer(first),
  recall,
});

const questions = (right: number, wrong: number): AskedQuestion[] => [
  ...Array.from({ length: right }, () => asked('docs')),
  ...Array.from({ length: wrong }, () => asked('rest')),
];

const failed = (facts: readonly { readonly name: string; readonly holds?: boolean }[]): string[] =>
  facts.filter(({ holds }) => holds === false).map(({ name }) => name);

test('answers are told with the library, its document and how much was searched', () => {
  const [told] = answerFacts([asked('docs')]);
  assert.equal(told?.name, 'about docs?');
  const expected = 'docs: a.md, A (asked 2 of 4 libraries, 1 of 3 clusters, 25 % of the points)';
  assert.equal(told?.value, expected);
});

test('answers that do not come from the library that knows fail the run', () => {
  assert.deepEqual(failed(answerFacts(questions(10, 0))), []);
  const few = Math.ceil(10 * FLOORS.first) - 1;
  const rows = failed(answerFacts(questions(few, 10 - few)));
  assert.ok(rows.includes('questions whose first answer names the library that knows'));
});

test('a recall below the floor fails the run, of questions and of passages', () => {
  const good: Asked[] = [asked('docs', 1)];
  const bad: Asked[] = [asked('docs', FLOORS.recall - 0.01)];
  const row = 'recall@10 of routed search against exact search';
  assert.deepEqual(failed(routingFacts({ questions: good, passages: good, inPlace: 2 * HITS })), []);
  assert.deepEqual(failed(routingFacts({ questions: bad, passages: good, inPlace: 2 * HITS })), [row]);
  assert.deepEqual(failed(routingFacts({ questions: good, passages: bad, inPlace: 2 * HITS })), [row]);
});

test('an answer that does not stand where it says fails the run, and one that lacks hits', () => {
  const good: Asked[] = [asked('docs')];
  const row = 'answers that stand where they say';
  assert.deepEqual(failed(routingFacts({ questions: good, passages: [], inPlace: HITS - 1 })), [row]);
  const short: Asked[] = [{ ...asked('docs'), answer: { ...answer('docs'), hits: [] } }];
  assert.deepEqual(failed(routingFacts({ questions: short, passages: [], inPlace: 0 })), [row]);
});

test('a library that failed, and one that the key did not open, fail the run', () => {
  const row = 'libraries that did not answer';
  for (const change of [{ failed: [{ library: 'docs', reason: 'Timeout' }] }, { notOpened: 1 }]) {
    const one: Asked[] = [{ answer: answer('docs', change), recall: 1 }];
    assert.deepEqual(failed(routingFacts({ questions: one, passages: [], inPlace: HITS })), [row]);
  }
});

test('shares of clusters and libraries asked are those of the answers', () => {
  const facts = routingFacts({ questions: [asked('docs')], passages: [asked('docs')], inPlace: 2 * HITS });
  const value = (name: string): string | undefined => facts.find((fact) => fact.name === name)?.value;
  assert.equal(value('share of clusters asked'), 'questions 33.3 % (1.0 of 3), passages 33.3 % (1.0 of 3)');
  assert.equal(value('share of libraries asked'), 'questions 50 % (2.0 of 4), passages 50 % (2.0 of 4)');
});
