import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PODS, SECRETS, type Secret } from '../../../src/kube/index.ts';
import type { ClusterClient, PointId } from '../../../src/qdrant/index.ts';
import { embed } from '../../embedder/hashing.ts';
import { libraryAccess } from '../../load/library-access.ts';
import { GATEWAY_URL, OPERATOR_NAMESPACE } from '../../sandbox.ts';
import { type Asked, answerFacts, LIMIT, routingFacts, said } from '../answer-facts.ts';
import { type Answer, bestOf, type Hit, recallOf } from '../answers.ts';
import { QUESTIONS } from '../questions.ts';
import { type Chapter, DIMENSIONS, NAMESPACE, type Stage } from '../stage.ts';

/** Opens all libraries of a namespace for searches. */
const SEARCH_SECRET = 'qdrant-librarian-gateway';
const AT_ONCE = 8;
/** Passages of each library that are looked up as if they were questions. */
const PASSAGES = 10;
const PATIENCE_MILLISECONDS = 45_000;

type Opened = { readonly library: string; readonly client: ClusterClient; readonly collection: string };

export const ask: Chapter = {
  title: 'questions in plain language, answered by the gateway across libraries',
  play: async (stage, progress) => {
    const key = await makeKey(stage);
    await untilSketched(stage, key);
    const opened = await Promise.all(
      [...stage.written.keys()].map(async (library): Promise<Opened> => {
        const access = await libraryAccess(stage.sandbox.admin, { namespace: NAMESPACE, library });
        return { library, ...access };
      }),
    );
    try {
      const questions = await inTurn(QUESTIONS, async (question) => {
        const { text } = question;
        const answer = await search(GATEWAY_URL, key, { text });
        progress(`${text} ${said(answer)}`);
        return { question, answer, recall: await recallAgainst(opened, answer, embed(text, DIMENSIONS)) };
      });
      const vectors = (await Promise.all(opened.map(passagesOf))).flat();
      const passages = await inTurn(vectors, async (vector) => {
        const answer = await search(GATEWAY_URL, key, { vector });
        return { answer, recall: await recallAgainst(opened, answer, vector) };
      });
      const inPlace = await foundAgain(opened, [...questions, ...passages]);
      for (const fact of answerFacts(questions)) stage.facts.add(fact);
      for (const fact of routingFacts({ questions, passages, inPlace })) stage.facts.add(fact);
    } finally {
      for (const { client } of opened) await client.close();
    }
  },
};

async function makeKey({ sandbox }: Stage): Promise<string> {
  const key = randomBytes(24).toString('hex');
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: SEARCH_SECRET, namespace: NAMESPACE },
    data: { 'api-key': Buffer.from(key).toString('base64') },
  };
  await sandbox.admin.create(SECRETS, secret);
  return key;
}

type Query = { readonly text: string } | { readonly vector: readonly number[] };

async function search(gateway: string, key: string, query: Query): Promise<Answer> {
  const response = await fetch(`${gateway}/namespaces/${NAMESPACE}/search`, {
    method: 'POST',
    headers: { 'api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ ...query, limit: LIMIT }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`a search is answered ${response.status}: ${text}`);
  return (JSON.parse(text) as { result: Answer }).result;
}

/** Each gateway draws its own sketches, some seconds after the last write; until then it asks all libraries. */
async function untilSketched({ sandbox, signal, written }: Stage, key: string): Promise<void> {
  const labelSelector = 'app.kubernetes.io/component=gateway';
  const pods = await sandbox.admin.listAll(PODS, { namespace: OPERATOR_NAMESPACE, labelSelector });
  const all = [...written.values()].reduce((sum, ids) => sum + ids.size, 0);
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  const [{ text } = { text: '' }] = QUESTIONS;
  for (const { metadata, status } of pods) {
    for (;;) {
      const { libraries, points } = (await search(`http://${status?.podIP ?? ''}:6333`, key, { text })).coverage;
      if (libraries.unsketched.length === 0 && points.total === all) break;
      if (performance.now() > deadline) {
        const unknown = libraries.unsketched.join(', ');
        throw new Error(`${metadata.name} knows ${points.total} of ${all} points, no sketch of: ${unknown}`);
      }
      await sleep(200, undefined, { signal });
    }
  }
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))));
  }
  return results;
}

/** Asks every library itself, past the gateway, for the exact best. */
async function recallAgainst(opened: readonly Opened[], { hits }: Answer, query: number[]): Promise<number> {
  const lists = await Promise.all(
    opened.map(async ({ library, client, collection }) => {
      const found = await client.query(collection, { query, limit: LIMIT, params: { exact: true } });
      return found.map(({ id, score }): Hit => ({ library, id, score }));
    }),
  );
  return recallOf(hits, bestOf(lists, LIMIT));
}

async function passagesOf({ client, collection }: Opened): Promise<number[][]> {
  const query = { sample: 'random' } as const;
  const drawn = await client.query(collection, { query, limit: PASSAGES, with_vector: true });
  return drawn.map(({ vector }) => vector as number[]);
}

/** How many hits stand in the library that they name, with the text that they show. */
async function foundAgain(opened: readonly Opened[], asked: readonly Asked[]): Promise<number> {
  const hits = asked.flatMap(({ answer }) => answer.hits);
  let found = 0;
  for (const { library, client, collection } of opened) {
    const own = hits.filter((hit) => hit.library === library);
    const points = await client.retrieve(collection, [...new Set(own.map(({ id }) => id))]);
    const texts = new Map<PointId, unknown>(points.map(({ id, payload }) => [id, payload['text']]));
    found += own.filter(({ id, payload }) => texts.has(id) && texts.get(id) === payload?.['text']).length;
  }
  return found;
}
