import { type Answer, type Hit, meanOf, percent, placeOf, shareOf } from './answers.ts';
import type { Fact } from './facts.ts';
import type { Question } from './questions.ts';

/** Hits of an answer. */
export const LIMIT = 10;

/** Shares below which the run fails. Who guessed would have the first right in a quarter, one of the first three in 58 %. */
export const FLOORS = { first: 0.6, firstThree: 0.75, recall: 0.9 } as const;

/** An answer of the gateway, and the share of the best hits there are that it holds, 0 to 1. */
export type Asked = { readonly answer: Answer; readonly recall: number };
export type AskedQuestion = Asked & { readonly question: Question };

/** The best hit, and how much of the whole was searched. */
export const said = ({ hits: [hit], coverage: { libraries, clusters, points } }: Answer): string =>
  `${hit === undefined ? 'nothing' : `${hit.library}: ${titleOf(hit)}`} (asked ${libraries.asked.length} of ` +
  `${libraries.known} libraries, ${clusters.asked} of ${clusters.known} clusters, ` +
  `${percent(points.searched / points.total)} of the points)`;

function titleOf({ payload = {} }: Hit): string {
  const { document, heading } = payload;
  return [document, heading].filter((text) => typeof text === 'string' && text !== '').join(', ');
}

/** One answer of each library as it was given, and how many came from the library that knows. */
export function answerFacts(asked: readonly AskedQuestion[]): Fact[] {
  const places = asked.map(({ question, answer }) => placeOf(answer.hits, question.library));
  const row = (name: string, most: number, floor: number): Fact => {
    const count = places.filter((place) => place !== undefined && place <= most).length;
    const value = `${count} of ${asked.length} (at least ${percent(floor)})`;
    return { name, value, holds: count >= floor * asked.length };
  };
  const shown = Map.groupBy(asked, ({ question }) => question.library).values();
  return [
    ...shown.flatMap(([first]) =>
      first === undefined ? [] : [{ name: first.question.text, value: said(first.answer) }],
    ),
    row('questions whose first answer names the library that knows', 1, FLOORS.first),
    row('among the first three answers', 3, FLOORS.firstThree),
  ];
}

export type Routed = {
  readonly questions: readonly Asked[];
  readonly passages: readonly Asked[];
  /** Hits that were found again, by their ids and texts, in the libraries that they name. */
  readonly inPlace: number;
};

/** How much was asked, and what was missed by it. */
export function routingFacts({ questions, passages, inPlace }: Routed): Fact[] {
  const all = [...questions, ...passages];
  const [ofQuestions, ofPassages] = [questions, passages].map((asked) => meanOf(asked.map(({ recall }) => recall)));
  const enough = [questions, passages].every(
    (asked) => asked.length === 0 || meanOf(asked.map(({ recall }) => recall)) >= FLOORS.recall,
  );
  const shares = (count: (answer: Answer) => number, known: (answer: Answer) => number): string => {
    const share = (asked: readonly Asked[]): string =>
      shareOf(
        asked.map(({ answer }) => count(answer)),
        Math.max(0, ...asked.map(({ answer }) => known(answer))),
      );
    return `questions ${share(questions)}, passages ${share(passages)}`;
  };
  const silent = all.reduce(
    (sum, { answer }) => sum + answer.coverage.libraries.failed.length + answer.coverage.libraries.notOpened,
    0,
  );
  const wanted = LIMIT * all.length;
  return [
    {
      name: `recall@${LIMIT} of routed search against exact search`,
      value: `questions ${percent(ofQuestions ?? 0)}, passages ${percent(ofPassages ?? 0)} (at least ${percent(FLOORS.recall)})`,
      holds: enough,
    },
    {
      name: 'share of clusters asked',
      value: shares(
        ({ coverage }) => coverage.clusters.asked,
        ({ coverage }) => coverage.clusters.known,
      ),
    },
    {
      name: 'share of libraries asked',
      value: shares(
        ({ coverage }) => coverage.libraries.asked.length,
        ({ coverage }) => coverage.libraries.known,
      ),
    },
    { name: 'answers that stand where they say', value: `${inPlace} of ${wanted}`, holds: inPlace === wanted },
    { name: 'libraries that did not answer', value: String(silent), holds: silent === 0 },
  ];
}
