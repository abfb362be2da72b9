import type { Static } from 'typebox';
import { vectorName } from '../domain-library/collection.ts';
import { choice, integer, list, object, optional, text } from '../schema/builders.ts';
import { cron, localRef, money, percent, secretKeyRef, suspend, timeZone, url } from '../schema/shapes.ts';
import { source } from './source.ts';

const globs = (description: string) =>
  list(description, text('A pattern, e.g. docs/**/*.md.', { min: 1, max: 512 }), { max: 64, set: true });

const chunking = object(
  'How documents are cut.',
  {
    strategy: optional(
      choice(
        'By what. Packages makes a document of each package manifest, with its name, version, licence and dependencies.',
        ['Markdown', 'Code', 'Tasks', 'Text', 'Packages'],
        { default: 'Text' },
      ),
    ),
    maxTokens: optional(integer('Longest chunk, in tokens.', { min: 16, max: 32_768, default: 512 })),
    overlapTokens: optional(
      integer('What a chunk repeats of the one before, in tokens.', { min: 0, max: 8192, default: 64 }),
    ),
  },
  {
    default: {},
    rules: [
      {
        // Kubernetes checks the default {} before it fills in what is inside.
        rule: '!has(self.overlapTokens) || !has(self.maxTokens) || self.overlapTokens < self.maxTokens',
        message: 'overlapTokens must be less than maxTokens',
        fieldPath: '.overlapTokens',
      },
    ],
  },
);

const embedder = object('Who makes vectors of text.', {
  protocol: choice('How it is spoken to.', ['Ollama', 'OpenAI', 'TEI', 'Gemini']),
  url: url('Base URL.'),
  model: text('Model.', { min: 1, max: 255 }),
  dimensions: optional(integer('Numbers of a vector; default: what the model gives.', { min: 1, max: 65_536 })),
  apiKeySecretRef: optional(secretKeyRef('Where its API key is.', 'api-key')),
  caSecretRef: optional(secretKeyRef('Where the CA certificate (PEM) of a private CA is.', 'ca.crt')),
  batchSize: optional(integer('Texts of a request.', { min: 1, max: 2048, default: 32 })),
  maxConcurrency: optional(integer('Requests at a time.', { min: 1, max: 256, default: 4 })),
  requestsPerMinute: optional(integer('Most requests per minute.', { min: 1, max: 1_000_000 })),
  tokensPerMinute: optional(integer('Most tokens per minute.', { min: 1, max: 1_000_000_000 })),
  timeoutSeconds: optional(integer('Longest wait for an answer, in seconds.', { min: 1, max: 3600, default: 60 })),
  documentPrefix: optional(text('What is put before a text that is stored.', { max: 512 })),
  queryPrefix: optional(text('What is put before a text that is searched.', { max: 512 })),
});

const target = object('Where points go.', {
  libraryRef: localRef('DomainLibrary.'),
  vector: optional(vectorName('Vector that is written; default: the unnamed or only one.')),
});

const gates = object('What must hold before new data counts.', {
  minSuccessPercent: optional(percent('Share of the documents without error, in percent.', { default: 99 })),
  maxDuplicatePercent: optional(percent('Share of equal chunks, in percent.')),
  minSelfRecallPercent: optional(percent('Share of sampled chunks that their own text finds, in percent.')),
  goldenQueriesConfigMapRef: optional(localRef('ConfigMap with searches and what they must find.')),
});

export const spec = object('What is wanted.', {
  source,
  include: optional(globs('Documents that are read; empty: all.')),
  exclude: optional(globs('Documents that are left out.')),
  chunking: optional(chunking),
  embedder,
  target,
  mode: optional(
    choice(
      'Incremental: what changed; Full: everything; Verify: report only; Repair: mend what Verify finds.',
      ['Incremental', 'Full', 'Verify', 'Repair'],
      { default: 'Incremental' },
    ),
  ),
  schedule: optional(cron('When it runs again; without it once per change.')),
  timeZone: optional(timeZone('IANA time zone of the schedule.')),
  parallelism: optional(
    integer(
      'Documents that a worker cuts at a time, each in a thread of its own; requests at a time: embedder.maxConcurrency.',
      { min: 1, max: 16, default: 1 },
    ),
  ),
  gates: optional(gates),
  deletionGuardPercent: optional(
    percent('A run that would delete more than this share of the points stops instead, in percent.', { default: 20 }),
  ),
  budget: optional(
    object(
      'What a run may cost.',
      {
        maxTokens: optional(integer('Most tokens embedded.', { min: 1, max: Number.MAX_SAFE_INTEGER })),
        pricePerMillionTokens: optional(money('Price of a million tokens, in any currency.')),
        maxCost: optional(money('Most that a run may cost, in the currency of the price.')),
      },
      {
        rules: [
          {
            rule: '!has(self.maxCost) || has(self.pricePerMillionTokens)',
            message: 'maxCost needs pricePerMillionTokens',
            fieldPath: '.maxCost',
          },
        ],
      },
    ),
  ),
  suspend,
});

export type VectorizationJobSpec = Static<typeof spec>;
