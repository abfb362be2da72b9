import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterFacts, libraryFacts, news } from '../../e2e/stage/facts.ts';
import { containerEntries, eventEntries, logEntries, timeline } from '../../e2e/stage/failure/timeline.ts';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import type { KubeEvent, Pod } from '../../src/kube/index.ts';

const BEGAN = Date.parse('2026-01-01T12:00:00Z');

test('one sorted text tells what was done, what was seen, and what the parts said', () => {
  const event = {
    eventTime: '2026-01-01T12:00:03.000000Z',
    reason: 'Created',
    note: 'made',
    regarding: { kind: 'DomainLibrary', name: 'docs' },
    reportingController: 'qdrant-librarian',
    series: { count: 3, lastObservedTime: '2026-01-01T12:00:09.000000Z' },
    metadata: { name: 'e' },
  } as KubeEvent;
  const pod = {
    metadata: { name: 'desk-0', namespace: 'team' },
    status: {
      containerStatuses: [
        {
          name: 'qdrant',
          state: { running: { startedAt: '2026-01-01T12:00:05Z' } },
          lastState: {
            terminated: {
              startedAt: '2026-01-01T12:00:01Z',
              finishedAt: '2026-01-01T12:00:04Z',
              exitCode: 137,
              reason: 'Error',
            },
          },
        },
      ],
    },
  } as Pod;
  const log = [
    '{"level":"info","time":"2026-01-01T12:00:02.000Z","msg":"calm"}',
    '{"level":"warn","time":"2026-01-01T12:00:02.500Z","msg":"peer is away","peer":1}',
    'no JSON at all',
  ].join('\n');
  const text = timeline(
    [
      { at: BEGAN + 3500, kind: 'fault', text: 'kill team/desk-0' },
      ...eventEntries([event]),
      ...containerEntries([pod]),
      ...logEntries('operator.log', log),
      { at: BEGAN, kind: 'step', text: 'create cluster\n  desk' },
    ],
    BEGAN,
  );
  assert.deepEqual(text.trimEnd().split('\n'), [
    '12:00:00.000     0.000  step      create cluster | desk',
    '12:00:01.000     1.000  container team/desk-0 qdrant started',
    '12:00:02.500     2.500  log       operator.log warn: peer is away {"peer":1}',
    '12:00:03.000     3.000  event     DomainLibrary docs Created: made (qdrant-librarian)',
    '12:00:03.500     3.500  fault     kill team/desk-0',
    '12:00:04.000     4.000  container team/desk-0 qdrant ended with 137 Error',
    '12:00:05.000     5.000  container team/desk-0 qdrant started',
    '12:00:09.000     9.000  event     DomainLibrary docs Created: made (qdrant-librarian) x3, the last of them',
  ]);
});

const cluster = (seconds: number, step?: string): QdrantCluster =>
  ({
    metadata: { name: 'desk' },
    status: {
      conditions: [{ type: 'Ready', status: 'False', reason: 'Creating', message: `settled for ${seconds} s` }],
      peers: [{ name: 'desk-0', state: step === undefined ? 'Ready' : 'Draining', peerId: 7 }],
      ...(step === undefined ? {} : { operation: { name: 'ScaleIn', step, blockedBy: [{ name: 'settled' }] } }),
    },
  }) as QdrantCluster;

test('transitions are news, messages that count seconds are not', () => {
  assert.deepEqual(news(clusterFacts(cluster(1)), clusterFacts(cluster(2))), []);
  assert.deepEqual(news(clusterFacts(cluster(1)), clusterFacts(cluster(2, 'DrainShards'))), [
    'operation: ScaleIn DrainShards blocked by settled',
    'peer desk-0: Draining 7',
  ]);
  assert.deepEqual(news(clusterFacts(cluster(1, 'StopPod')), clusterFacts(cluster(1))), [
    'peer desk-0: Ready 7',
    'operation: no more',
  ]);
});

test('the steps of a library are news', () => {
  const library = (step: string): DomainLibrary =>
    ({ metadata: { name: 'docs' }, status: { generation: 1, change: { step, to: 2 } } }) as DomainLibrary;
  assert.deepEqual(news(libraryFacts(library('Building')), libraryFacts(library('Copying'))), ['change: Copying to 2']);
});
