import { embed } from '../sandbox/embedder/hashing.ts';
import { findDomains } from '../src/library/discovery/find.ts';
import { matrixOf, randIndex, randomNumbers, unit } from '../src/vectors/index.ts';
import { corpus } from '../test/library/discovery/corpus.ts';
import type { Benchmark } from './benchmark.ts';
import { type Labelled, part, places, read } from './labelled-corpus.ts';
import { figure, table } from './table.ts';

/** A mixture that nobody looked at when the thresholds were chosen; `domains` 1: there are none to be found. */
type Case = { readonly group: string; readonly domains: number; readonly labelled: Labelled };
type Tally = { cases: number; exact: number; other: number; none: number; indices: number[] };

/** As in a DomainLibrary that says nothing else. */
const OPTIONS = { maxDomains: 32, minShare: 0.02, seed: 1 };
/** Of each set of the corpus. */
const ROWS = 500;
const DIMENSIONS = 384;
/** Of each number of sets. */
const MIXTURES = 10;

export const discoveryHeldOut: Benchmark = {
  name: 'discovery-held-out',
  measures: 'domains found again in mixtures that the thresholds were not chosen with',
  embedded:
    'no Qdrant: vectors in memory; mixtures of a labelled corpus, and its texts by another embedder, where LABELLED_CORPUS names it',
  run: async ({ short, signal, progress }) => {
    const tallies = new Map<string, Tally>();
    for (const { group, domains, labelled } of cases(short)) {
      const found = await findDomains(labelled.points, { ...OPTIONS, signal });
      const tally = tallies.get(group) ?? { cases: 0, exact: 0, other: 0, none: 0, indices: [] };
      tallies.set(group, tally);
      tally.cases += 1;
      const count = found.hasDomains ? found.shares.length : 1;
      if (count === domains) tally.exact += 1;
      else if (found.hasDomains) tally.other += 1;
      else tally.none += 1;
      const index = randIndex(found.labels, labelled.labels);
      if (found.hasDomains) tally.indices.push(index);
      const refused = found.rulings.filter(({ held }) => !held).map(({ rule }) => rule);
      const why = found.hasDomains ? `index ${index.toFixed(3)}` : refused.join(', ');
      progress(`discovery-held-out: ${group}, ${domains} there, ${count} found: ${why}`);
    }
    const head = ['', 'mixtures', 'right number', 'another number', 'none, though some', 'mean index', 'least index'];
    const rows = [...tallies].map(([group, { cases: all, exact, other, none, indices }]) => [
      group,
      figure(all),
      figure(exact),
      figure(other),
      figure(none),
      indices.length === 0 ? '-' : (indices.reduce((sum, index) => sum + index, 0) / indices.length).toFixed(3),
      indices.length === 0 ? '-' : Math.min(...indices).toFixed(3),
    ]);
    // What comes out is told as it is: a threshold that is moved for it would make it a corpus in view.
    return { text: table([head, ...rows]), broken: [] };
  },
};

function* cases(short: boolean): Generator<Case> {
  const folder = process.env['LABELLED_CORPUS'];
  if (folder !== undefined) {
    const whole = read(folder);
    const sets = [...new Set(Array.from(whole.labels, String))].toSorted();
    yield* mixtures(whole, sets, short);
    yield* otherEmbedder(whole, sets, short);
  }
  yield* madeUp(short ? 6 : 40);
}

/** Number, size, likeness and spread of the domains are drawn, too. */
function* madeUp(count: number): Generator<Case> {
  const random = randomNumbers(20_260_131);
  for (let at = 0; at < count; at += 1) {
    const domains = at % 4 === 3 ? 1 : 2 + Math.floor(random() * 7);
    const columns = [64, 128, 384][at % 3] ?? 64;
    const weights = Array.from({ length: domains }, () => 1 + random() * 4);
    const shape = { likeness: domains === 1 ? 0 : random() * 0.5, spread: 0.7 + random() * 0.5 };
    const labelled = corpus({ domains, rows: 2000, columns, weights, seed: 1000 + at, ...shape });
    yield { group: domains === 1 ? 'made up, one domain' : 'made up, two to eight', domains, labelled };
  }
}

/** Some of all mixtures of two to five sets. */
function* mixtures(whole: Labelled, sets: readonly string[], short: boolean): Generator<Case> {
  const random = randomNumbers(7);
  for (const size of [2, 3, 4, 5]) {
    const all = choices(sets, size).toSorted(() => random() - 0.5);
    for (const chosen of all.slice(0, short ? 1 : MIXTURES)) {
      const rows = chosen.flatMap((set) => places(whole, (label) => label === set).slice(0, ROWS));
      yield { group: `${size} sets of the corpus`, domains: size, labelled: part(whole, rows, rows.length) };
    }
  }
}

function* otherEmbedder({ texts, labels }: Labelled, sets: readonly string[], short: boolean): Generator<Case> {
  const rows = sets.flatMap((set) =>
    [...texts.keys()].filter((row) => labels[row] === set).slice(0, short ? 150 : ROWS),
  );
  const points = unit(matrixOf(rows.map((row) => embed(texts[row] ?? '', DIMENSIONS))));
  const hashed = { points, labels: rows.map((row) => labels[row] ?? ''), texts: rows.map((row) => texts[row] ?? '') };
  yield {
    group: 'all sets by words alone',
    domains: sets.length,
    labelled: part(hashed, [...rows.keys()], rows.length),
  };
  for (const set of short ? sets.slice(0, 1) : sets) {
    const own = places(hashed, (label) => label === set);
    yield { group: 'one set by words alone', domains: 1, labelled: part(hashed, own, own.length) };
  }
}

const choices = (sets: readonly string[], size: number): string[][] =>
  size === 0
    ? [[]]
    : sets.flatMap((first, at) => choices(sets.slice(at + 1), size - 1).map((others) => [first, ...others]));
