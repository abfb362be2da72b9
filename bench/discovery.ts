import { findDomains } from '../src/library/discovery/find.ts';
import { namesOf, termsOf } from '../src/library/discovery/names.ts';
import { WordCounts } from '../src/library/discovery/words.ts';
import { randIndex } from '../src/vectors/index.ts';
import { type CorpusOptions, corpus } from '../test/library/discovery/corpus.ts';
import type { Benchmark } from './benchmark.ts';
import { type Labelled, part, places, read, shuffled } from './labelled-corpus.ts';
import { figure, table } from './table.ts';

type Case = { readonly name: string; readonly corpus: Labelled; readonly domains: boolean };

const MADE_UP: readonly (Omit<CorpusOptions, 'rows' | 'seed'> & { readonly name: string; readonly found: boolean })[] =
  [
    { name: 'clear', domains: 6, likeness: 0.05, spread: 0.8, found: true },
    { name: 'overlapping', domains: 5, likeness: 0.4, spread: 1, found: true },
    { name: 'hardly different', domains: 5, likeness: 0.85, spread: 1.3, found: false },
    { name: 'one domain', domains: 1, likeness: 0, spread: 1, found: false },
    { name: 'noise', domains: 1, likeness: 0, spread: 6, found: false },
  ];

/** As in a DomainLibrary that says nothing else. */
const OPTIONS = { maxDomains: 32, minShare: 0.02, seed: 1 };

export const discovery: Benchmark = {
  name: 'discovery',
  measures: 'domains found again (adjusted Rand index), none where there are none, and the time it takes',
  embedded: 'no Qdrant: vectors in memory; made-up corpora, and a labelled one where LABELLED_CORPUS names it',
  run: async ({ short, signal, progress }) => {
    const broken: string[] = [];
    const named: string[] = [];
    const rows = [['', 'points', 'answer', 'index', 'stability', 'recall, one asked', 'CPU s']];
    for (const { name, corpus: labelled, domains } of cases(short)) {
      const began = process.cpuUsage().user;
      const found = await findDomains(labelled.points, { ...OPTIONS, signal });
      const seconds = (process.cpuUsage().user - began) / 1e6;
      const value = (rule: string): string =>
        figure(found.rulings.find((one) => one.rule === rule)?.value ?? Number.NaN);
      if (found.hasDomains !== domains) broken.push(`${name}: ${found.hasDomains ? 'domains' : 'none'} were found`);
      rows.push([
        name,
        figure(labelled.points.rows),
        found.hasDomains ? `${found.shares.length} domains` : 'none',
        found.hasDomains ? randIndex(found.labels, labelled.labels).toFixed(3) : '-',
        value('stable'),
        found.routing === undefined ? '-' : (found.routing.recall[0] ?? 0).toFixed(3),
        figure(seconds),
      ]);
      if (found.hasDomains) named.push(`${name}: ${namesFor(labelled, found).join(', ')}`);
      progress(`discovery: ${name} done`);
    }
    return { text: `${table(rows)}\n${named.join('\n')}\n`, broken };
  },
};

function namesFor({ texts }: Labelled, { labels, shares }: Awaited<ReturnType<typeof findDomains>>): string[] {
  const words = new WordCounts(shares.length);
  texts.forEach((text, row) => {
    words.add(text, labels[row] ?? 0);
  });
  return namesOf(termsOf(words));
}

function* cases(short: boolean): Generator<Case> {
  for (const { name, found, ...options } of MADE_UP) {
    yield { name, domains: found, corpus: corpus({ rows: short ? 1000 : 4000, seed: 1, ...options }) };
  }
  const folder = process.env['LABELLED_CORPUS'];
  if (folder !== undefined) yield* ofCorpus(read(folder), short);
}

function* ofCorpus(whole: Labelled, short: boolean): Generator<Case> {
  const all = short
    ? part(
        whole,
        places(whole, () => true),
        3000,
      )
    : whole;
  yield { name: 'the corpus', domains: true, corpus: all };
  yield {
    name: 'the corpus, shuffled',
    domains: false,
    corpus: shuffled(
      part(
        whole,
        places(whole, () => true),
        3000,
      ),
    ),
  };
  const domains = [...new Set(Array.from(whole.labels))];
  for (const domain of short ? domains.slice(0, 2) : domains) {
    const rows = places(whole, (label) => label === domain);
    yield { name: `${domain} alone`, domains: false, corpus: part(whole, rows, rows.length) };
  }
}
