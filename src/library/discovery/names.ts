import type { WordCounts } from './words.ts';

export type Term = {
  readonly word: string;
  /** Share of the domain's texts in which it stands, 0 to 1. */
  readonly share: number;
  /** How much it tells this domain from the others; comparable within one domain only. */
  readonly weight: number;
};

/** A word names a domain when it stands in so much more of its texts than of any other's: this leaves out stop words of any language. */
const TIMES_AS_OFTEN = 2;
/** A word that stands in fewer texts of a domain says nothing of it as a whole, in shares. */
const LEAST_SHARE = 0.02;
const LEAST_TEXTS = 3;

/**
 * The words that tell each domain from the others, most telling first.
 *
 * Weight: share of the domain's texts that hold the word, times log(1 + A / f), f the shares of all domains added up
 * and A their mean sum. Source: class-based TF-IDF, Grootendorst 2022 (BERTopic), over texts instead of occurrences.
 */
export function termsOf(counts: WordCounts, most = 10): Term[][] {
  const texts = [...counts.texts];
  const found: Term[][] = texts.map(() => []);
  const all = [...counts.words].map(([word, inTexts]) => ({
    word,
    inTexts,
    shares: texts.map((count, domain) => (count === 0 ? 0 : (inTexts[domain] ?? 0) / count)),
  }));
  const average = all.reduce((sum, { shares }) => sum + total(shares), 0) / Math.max(1, texts.length);
  for (const { word, shares, inTexts } of all) {
    shares.forEach((share, domain) => {
      if (share < LEAST_SHARE || (inTexts[domain] ?? 0) < LEAST_TEXTS) return;
      const elsewhere = Math.max(0, ...shares.filter((_, other) => other !== domain));
      if (share < TIMES_AS_OFTEN * elsewhere) return;
      found[domain]?.push({ word, share, weight: share * Math.log(1 + average / total(shares)) });
    });
  }
  return found.map((terms) =>
    terms.toSorted((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1)).slice(0, most),
  );
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** As a DomainLibrary may be called. */
const MOST_CHARACTERS = 50;
const WORDS_PER_NAME = 2;

/**
 * A name for each domain: its most telling words, with hyphens, in a to z and digits; `domain-<number>` where there are none.
 *
 * No two are the same; each could name a Kubernetes object.
 */
export function namesOf(terms: readonly (readonly Term[])[]): string[] {
  const taken = new Set<string>();
  return terms.map((ofDomain, domain) => {
    const words = distinct(ofDomain.map(({ word }) => plain(word)).filter((word) => word.length > 0));
    const fallback = `domain-${domain + 1}`;
    const candidates = [
      ...words.slice(WORDS_PER_NAME - 1).map((_, more) => words.slice(0, WORDS_PER_NAME + more).join('-')),
      ...words.slice(0, 1),
      fallback,
      ...Array.from({ length: terms.length }, (_, index) => `${fallback}-${index + 2}`),
    ];
    const name = candidates.find((text) => text.length <= MOST_CHARACTERS && !taken.has(text)) ?? fallback;
    taken.add(name);
    return name;
  });
}

/** In letters that names of objects may have; empty for words of other scripts. */
function plain(word: string): string {
  const letters = word.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return /^[a-z][a-z0-9]*$/.test(letters) ? letters : '';
}

/** Without forms of a word that is there already. */
const distinct = (words: readonly string[]): string[] =>
  words.filter(
    (word, place) => !words.slice(0, place).some((other) => word.startsWith(other) || other.startsWith(word)),
  );
