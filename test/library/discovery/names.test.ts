import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { namesOf, type Term, termsOf } from '../../../src/library/discovery/names.ts';
import { WordCounts, wordsOf } from '../../../src/library/discovery/words.ts';
import { corpus, SUBJECTS } from './corpus.ts';

const counted = (texts: readonly string[], labels: ArrayLike<number>, classes: number): WordCounts => {
  const counts = new WordCounts(classes);
  texts.forEach((text, place) => {
    counts.add(text, labels[place] ?? 0);
  });
  return counts;
};

test('each domain is named by words of its own, and by none that all have', () => {
  const { texts, labels } = corpus({ domains: 4, rows: 200, likeness: 0, spread: 1, seed: 1 });
  const terms = termsOf(counted(texts, labels, 4));
  assert.deepEqual(
    terms.map(([first]) => first?.word),
    SUBJECTS.slice(0, 4),
  );
  const common = new Set(['the', 'and', 'with', 'value', 'from', 'that']);
  assert.deepEqual(
    terms.flat().filter(({ word }) => common.has(word)),
    [],
  );
});

test('what stands in a single text names nothing', () => {
  const texts = ['alpha unique', 'alpha', 'alpha', 'beta', 'beta', 'beta'];
  const words = termsOf(counted(texts, [0, 0, 0, 1, 1, 1], 2)).flat();
  assert.deepEqual(
    words.map(({ word }) => word),
    ['alpha', 'beta'],
  );
});

test('words are letters and digits of any script, in small letters, each once', () => {
  assert.deepEqual(
    [...wordsOf('Über UBER über, naïve x2 utf8_text данные 42nd a1')],
    ['über', 'uber', 'naïve', 'utf8', 'text', 'данные'],
  );
});

const term = (word: string): Term => ({ word, share: 1, weight: 1 });

test('names: telling words, no form of a word twice, other scripts by number', () => {
  assert.deepEqual(
    namesOf([
      [term('model'), term('models'), term('field')],
      [term('naïve'), term('bayes')],
      [term('данные')],
      [],
      [term('model'), term('field')],
    ]),
    ['model-field', 'naive-bayes', 'domain-3', 'domain-4', 'model'],
  );
});

test('property: names are distinct and could name objects, whatever the words', () => {
  const words = fc.array(fc.oneof(fc.constantFrom('a', 'model', 'field', 'domain'), fc.string()), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), (domains) => {
      const names = namesOf(domains.map((list) => list.map(term)));
      assert.equal(new Set(names).size, domains.length);
      for (const name of names) assert.match(name, /^[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?$/);
    }),
  );
});

test('memory stays bounded whatever the texts are', () => {
  const counts = new WordCounts(2);
  for (let text = 0; text < 3000; text += 1) {
    counts.add(['kept', ...Array.from({ length: 100 }, (_, word) => `w${text}x${word}`)].join(' '), text % 2);
  }
  const words = [...counts.words];
  assert.ok(words.length <= 200_000, `${words.length} words`);
  assert.deepEqual([...(words.find(([word]) => word === 'kept')?.[1] ?? [])], [1500, 1500]);
});
