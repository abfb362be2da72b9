import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVectorizeConfig, VectorizeConfigError } from '../../src/vectorize/config.ts';
import { newVectorizeProgress, parseVectorizeProgress } from '../../src/vectorize/progress.ts';

const valid = {
  version: 1,
  job: { uid: 'u-1', namespace: 'docs', name: 'handbook' },
  run: 'run-1',
  progress: { namespace: 'docs', name: 'handbook-progress' },
  source: { kind: 'directory', below: 'guides' },
  include: ['**/*.md'],
  exclude: [],
  chunking: { strategy: 'Markdown', maxTokens: 256, overlapTokens: 32 },
  embedder: { protocol: 'Ollama', url: 'http://ollama:11434', model: 'nomic', apiKey: false, ca: false },
  target: { collection: 'handbook', uri: 'http://qdrant:6333' },
  mode: 'Incremental',
  gates: { goldenQueries: false },
  deletionGuardPercent: 20,
  budget: {},
  leaseSeconds: 20,
};

const refusal = (change: object): string => {
  try {
    parseVectorizeConfig(JSON.stringify({ ...valid, ...change }));
  } catch (error) {
    assert.ok(error instanceof VectorizeConfigError);
    return error.message;
  }
  return assert.fail('it must be refused');
};

test('reads what the operator writes', () => {
  assert.deepEqual(parseVectorizeConfig(JSON.stringify(valid)), valid);
});

test('names the field that breaks its rule', () => {
  assert.match(refusal({ mode: 'Sideways' }), /^\/mode: /);
  assert.match(refusal({ leaseSeconds: 0 }), /^\/leaseSeconds: /);
  assert.match(refusal({ chunking: { ...valid.chunking, overlapTokens: 256 } }), /^\/chunking\/overlapTokens: 256 /);
});

test('package manifests are read from files only', () => {
  const source = { kind: 'http', urls: ['http://x/'], followLinks: false, maxDepth: 0, authorization: false };
  assert.match(refusal({ source, chunking: { ...valid.chunking, strategy: 'Packages' } }), /Packages needs files/);
});

test('progress survives being written and read', () => {
  const progress = newVectorizeProgress('run-1', { id: 'a', pod: 'p', beat: 1, released: false }, 5);
  assert.deepEqual(parseVectorizeProgress(JSON.stringify(progress)), progress);
});

test('what is no progress of this version counts as none', () => {
  assert.equal(parseVectorizeProgress('{'), undefined);
  assert.equal(parseVectorizeProgress('{"version":2}'), undefined);
  assert.equal(parseVectorizeProgress(undefined), undefined);
});
