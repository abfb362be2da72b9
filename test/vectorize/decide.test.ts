import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dueNow, specDigest } from '../../src/vectorize/decide/due.ts';
import { overruledBy } from '../../src/vectorize/decide.ts';
import { readyLibrary, rested, Sim, settings, vectorizationJob } from './sim.ts';

test('a new job runs once; then nothing more is done or written', () => {
  const sim = new Sim();
  sim.pass();
  assert.deepEqual(sim.steps, [], 'the run stands in the status before it has a worker');
  assert.equal(sim.job.status?.progress?.cause, 'Spec');
  sim.pass();
  assert.deepEqual(sim.runsStarted, [sim.run]);
  sim.says({ step: 'Embedding', percent: 40, total: 10, chunksPerMinute: 600, expectedAt: sim.now + 60_000 });
  sim.pass();
  const { progress } = sim.job.status ?? {};
  assert.deepEqual(
    [progress?.step, progress?.percent, progress?.total, progress?.chunksPerMinute, progress?.expectedAt],
    ['Embedding', 40, 10, 600, '2026-02-01T00:01:10Z'],
  );
  assert.equal(sim.condition('Ready'), 'Unknown Starting');
  assert.equal(sim.condition('Reconciling'), 'True Running');
  const counts = { documents: 10, chunks: 20, embedded: 15, reused: 5, deleted: 0, failed: 0, tokens: 99 };
  sim.says({ counts });
  sim.ends({ revision: 'abc' });
  sim.passes(2);
  assert.equal(sim.job.status?.progress, undefined);
  const { lastRun } = sim.job.status ?? {};
  assert.deepEqual([lastRun?.result, lastRun?.embedded, lastRun?.revision], ['Succeeded', 15, 'abc']);
  assert.equal(sim.condition('Ready'), 'True Succeeded');
  assert.equal(sim.message('Ready'), '20 chunks of 10 documents: 15 embedded, 5 reused, 0 points deleted');
  assert.equal(sim.job.status?.observedGeneration, 1);
  const before = structuredClone(sim.job.status);
  sim.now += 86_400_000;
  sim.passes(3);
  assert.deepEqual(sim.job.status, before);
  assert.equal(sim.runsStarted.length, 1);
  assert.deepEqual(
    sim.events.map(({ reason }) => reason),
    ['RunStarted', 'RunSucceeded'],
  );
});

test('a crash between a step and its report starts no second run', () => {
  const sim = new Sim();
  sim.pass({ crash: true });
  sim.pass();
  const { run } = sim;
  sim.pass({ crash: true });
  sim.now += 60_000;
  sim.passes(3);
  assert.deepEqual([...new Set(sim.runsStarted)], [run]);
  sim.ends();
  sim.pass({ crash: true });
  sim.passes(3);
  assert.deepEqual([...new Set(sim.runsStarted)], [run]);
  assert.equal(sim.job.status?.lastRun?.run, run);
});

test('another spec runs again, a new pause or schedule does not', () => {
  const sim = rested();
  sim.edit({ parallelism: 4, schedule: '0 0 1 1 *', timeZone: 'Europe/Vienna' });
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 1);
  sim.edit({ include: ['**/*.md'] });
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 2);
  assert.equal(sim.job.status?.progress?.cause, 'Spec');
});

test('a spec that changes in the middle ends the run, whose successor begins when its worker is gone', () => {
  const sim = new Sim();
  sim.passes(2);
  const [first] = sim.runsStarted;
  const [worker] = sim.jobs;
  assert.ok(worker);
  sim.edit({ include: ['guides/**'] });
  sim.pass();
  assert.deepEqual(sim.steps.at(-1), { kind: 'stopWorkers', jobs: [`handbook-vec-${first}`] });
  assert.equal(sim.events.at(-1)?.reason, 'RunSuperseded');
  sim.jobs = [{ ...worker, state: 'ending' }];
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 1);
  assert.equal(sim.condition('Reconciling'), 'True Stopping');
  sim.jobs = [];
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 2);
});

test('the annotation lets it run once per value', () => {
  const sim = rested();
  sim.annotate('run', 'monday');
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Annotation');
  assert.equal(sim.job.status?.lastHandled?.['run'], 'monday');
  assert.equal(sim.job.status?.progress?.request, 'monday');
  sim.ends();
  sim.passes(4);
  assert.equal(sim.runsStarted.length, 2);
  sim.annotate('run', 'tuesday');
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 3);
  sim.ends();
  // Longer than the status can keep.
  sim.annotate('run', 'x'.repeat(300));
  sim.passes(4);
  sim.ends();
  sim.passes(4);
  assert.equal(sim.runsStarted.length, 4);
  assert.equal(sim.job.status?.lastHandled?.['run']?.length, 256);
});

test('the schedule is computed from the last run: one that was missed is made up for once', () => {
  const sim = rested({ schedule: '0 3 * * *', timeZone: 'Europe/Vienna' });
  assert.equal(sim.job.status?.nextAt, '2026-02-01T02:00:00Z');
  sim.now = Date.parse('2026-02-01T01:59:59Z');
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 1);
  // The operator was away for four days.
  sim.now = Date.parse('2026-02-05T12:00:00Z');
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Schedule');
  sim.ends();
  sim.passes(4);
  assert.equal(sim.runsStarted.length, 2);
  assert.equal(sim.job.status?.nextAt, '2026-02-06T02:00:00Z');
});

test('a run that failed is tried again with growing pauses, and another spec forgets them', () => {
  const sim = new Sim();
  const pauses: number[] = [];
  for (let failure = 0; failure < 9; failure += 1) {
    sim.passes(3);
    sim.ends({ result: 'Failed', reason: 'EmbedderUnauthorized', message: 'ollama:11434: 401' });
    const ended = Math.floor(sim.now / 1000) * 1000;
    sim.passes(2);
    assert.equal(sim.condition('Ready'), 'False EmbedderUnauthorized');
    assert.equal(sim.condition('EmbedderRefuses'), 'True EmbedderUnauthorized');
    assert.equal(sim.condition('Reconciling'), 'True EmbedderUnauthorized');
    pauses.push((Date.parse(sim.job.status?.nextAt ?? '') - ended) / 1000);
    sim.now = Date.parse(sim.job.status?.nextAt ?? '');
  }
  assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
  sim.passes(3);
  sim.ends();
  sim.passes(2);
  assert.equal(sim.condition('EmbedderRefuses'), undefined);
  assert.equal(sim.condition('Ready'), 'True Succeeded');
  sim.edit({ exclude: ['old/**'] });
  sim.passes(3);
  sim.ends({ result: 'Failed', reason: 'TargetFull', message: 'disk full' });
  sim.passes(2);
  assert.equal(sim.job.status?.lastRun?.failures, 1);
  assert.equal(sim.condition('TargetRefuses'), 'True TargetFull');
});

test('a budget, a guard and a closed gate wait for a word, and say so', () => {
  for (const [result, reason, condition] of [
    ['Stopped', 'BudgetUsedUp', 'BudgetSpent'],
    ['Stopped', 'DeletionGuard', 'DeletionGuarded'],
    ['GateClosed', 'GatesClosed', undefined],
  ] as const) {
    const sim = new Sim();
    sim.passes(3);
    sim.ends({ result, reason, message: 'figures' });
    sim.passes(2);
    sim.now += 86_400_000;
    sim.passes(3);
    assert.equal(sim.runsStarted.length, 1, reason);
    assert.equal(sim.condition('Ready'), `False ${reason}`);
    assert.equal(sim.condition('Stalled'), `True ${reason}`);
    if (condition !== undefined) assert.equal(sim.condition(condition), `True ${reason}`);
    sim.annotate('run', 'on');
    sim.passes(3);
    sim.ends();
    sim.passes(2);
    assert.equal(sim.condition('Ready'), 'True Succeeded');
    if (condition !== undefined) assert.equal(sim.condition(condition), undefined);
  }
});

test('an incomplete listing is tried again', () => {
  const sim = new Sim();
  sim.passes(3);
  sim.ends({ result: 'Stopped', reason: 'ListingIncomplete', message: 'page 3: 500' });
  sim.passes(2);
  assert.equal(sim.condition('SourceRefuses'), 'True ListingIncomplete');
  sim.now += 6000;
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Retry');
});

test('pods that end without a word are a failure, and the next run begins later', () => {
  const sim = new Sim();
  sim.passes(2);
  sim.jobs = sim.jobs.map((job) => ({ ...job, state: 'failed', endedAt: sim.now, message: 'BackoffLimitExceeded' }));
  sim.passes(2);
  assert.notEqual(sim.run, undefined, 'its last words may still come');
  sim.now += 4000;
  sim.passes(2);
  assert.equal(sim.job.status?.lastRun?.reason, 'WorkerFailed');
  assert.match(sim.job.status?.lastRun?.message ?? '', /BackoffLimitExceeded/);
  sim.now += 6000;
  sim.passes(3);
  assert.equal(sim.runsStarted.length, 2);
});

test('a Job that somebody deleted is made again for the same run', () => {
  const sim = new Sim();
  sim.passes(2);
  const { run } = sim;
  sim.jobs = [];
  sim.passes(2);
  assert.deepEqual(sim.runsStarted, [run, run]);
});

test('words about another run are none about this one', () => {
  const sim = rested();
  const before = sim.progress;
  sim.annotate('run', 'again');
  sim.passes(3);
  sim.progress = before;
  sim.passes(3);
  assert.notEqual(sim.run, undefined);
  assert.equal(sim.condition('Reconciling'), 'True WorkerPending');
});

test('suspending stops the worker and keeps the run; it goes on afterwards', () => {
  const sim = new Sim();
  sim.passes(2);
  const { run } = sim;
  sim.edit({ suspend: true });
  sim.passes(2);
  assert.deepEqual(sim.jobs, []);
  assert.equal(sim.condition('Suspended'), 'True Suspended');
  assert.equal(sim.condition('Ready'), 'False Suspended');
  sim.edit({ suspend: false });
  sim.passes(2);
  assert.deepEqual(sim.runsStarted, [run, run]);
});

test('what is not built, and what no schedule can be, is refused by name', () => {
  const refusals = [
    [{ source: { git: { url: 'https://example.org/x.git' } } }, 'NotBuilt', /^spec\.source\.git: /],
    [{ schedule: '99 * * * *' }, 'InvalidSpec', /^spec\.schedule: "99 \* \* \* \*": /],
    [{ schedule: '0 0 31 2 *' }, 'InvalidSpec', /no day fits it/],
    [{ schedule: '@daily', timeZone: 'Mars/Olympus' }, 'InvalidSpec', /^spec\.timeZone: "Mars\/Olympus": /],
    [
      { source: { http: { urls: ['http://x.org/'] } }, chunking: { strategy: 'Packages' } },
      'InvalidSpec',
      /^spec\.chunking\.strategy: Packages /,
    ],
  ] as const;
  for (const [spec, reason, message] of refusals) {
    const sim = new Sim(spec as Partial<Sim['job']['spec']>);
    sim.passes(3);
    assert.equal(sim.condition('Stalled'), `True ${reason}`);
    assert.equal(sim.condition('Ready'), `False ${reason}`);
    assert.match(sim.message('Ready'), message);
    assert.deepEqual(sim.steps, []);
  }
});

test('a spec that is refused ends the run of the one before', () => {
  const sim = new Sim();
  sim.passes(2);
  sim.edit({ source: { git: { url: 'https://example.org/x.git' } } });
  sim.passes(2);
  assert.deepEqual(sim.jobs, []);
  assert.equal(sim.run, undefined);
});

test('each thing that stands against a run is named, and the run begins when it is gone', () => {
  const obstacles: readonly [(sim: Sim) => void, (sim: Sim) => void, string, RegExp][] = [
    [
      (sim) => (sim.library = undefined),
      (sim) => (sim.library = readyLibrary),
      'LibraryNotFound',
      /^spec\.target\.libraryRef\.name: "docs": /,
    ],
    [
      (sim) => (sim.library = { ...readyLibrary, binding: undefined }),
      (sim) => (sim.library = readyLibrary),
      'LibraryUnbound',
      /no binding Secret/,
    ],
    [
      (sim) =>
        (sim.library = {
          ...readyLibrary,
          ready: { status: 'False', reason: 'Unreachable', message: 'no peer answers' },
        }),
      (sim) => (sim.library = readyLibrary),
      'PredicatesRefuse',
      /library-ready: DomainLibrary docs is not Ready: Unreachable: no peer answers/,
    ],
    [
      (sim) => (sim.target = { kind: 'blind', message: 'collection docs: 503' }),
      (sim) => (sim.target = { kind: 'seen', vectors: [{ name: '', size: 3, multi: false }] }),
      'PredicatesRefuse',
      /target-answers: collection docs: 503/,
    ],
    [
      (sim) => (sim.target = { kind: 'seen', vectors: [{ name: '', size: 4, multi: false }] }),
      (sim) => (sim.target = { kind: 'seen', vectors: [{ name: '', size: 3, multi: false }] }),
      'PredicatesRefuse',
      /vector-fits: spec\.embedder\.dimensions: 3: vector "" of docs has 4/,
    ],
    [
      (sim) =>
        (sim.references = [
          { field: 'spec.embedder.apiKeySecretRef', kind: 'Secret', name: 'key', problem: 'has no key api-key' },
        ]),
      (sim) => (sim.references = []),
      'PredicatesRefuse',
      /secrets-complete: spec\.embedder\.apiKeySecretRef: Secret key has no key api-key/,
    ],
    [
      (sim) =>
        (sim.references = [
          { field: 'spec.source.configMap.name', kind: 'ConfigMap', name: 'pages', problem: 'does not exist' },
        ]),
      (sim) => (sim.references = []),
      'PredicatesRefuse',
      /source-exists: spec\.source\.configMap\.name: ConfigMap pages does not exist/,
    ],
  ];
  for (const [stand, mend, reason, message] of obstacles) {
    const sim = new Sim();
    stand(sim);
    sim.passes(3);
    assert.equal(sim.condition('Ready'), `False ${reason}`, String(message));
    assert.match(sim.message('Ready'), message);
    assert.equal(sim.condition('RunBlocked'), reason === 'PredicatesRefuse' ? 'True PredicatesRefuse' : undefined);
    assert.deepEqual(sim.steps, []);
    mend(sim);
    sim.passes(3);
    assert.equal(sim.runsStarted.length, 1);
    assert.equal(sim.condition('RunBlocked'), undefined);
  }
});

test('the vector must be named where there are several, and must be there', () => {
  const cases: readonly [string | undefined, readonly string[], RegExp | undefined][] = [
    [undefined, ['text'], undefined],
    ['text', ['text', 'image'], undefined],
    [undefined, ['text', 'image'], /spec\.target\.vector: is needed.*"text", "image"/],
    ['sound', ['text', 'image'], /spec\.target\.vector: "sound": docs has no such vector/],
  ];
  for (const [vector, names, refusal] of cases) {
    const sim = new Sim({ target: { libraryRef: { name: 'docs' }, ...(vector === undefined ? {} : { vector }) } });
    sim.target = { kind: 'seen', vectors: names.map((name) => ({ name, size: 3, multi: false })) };
    sim.passes(2);
    assert.equal(sim.runsStarted.length, refusal === undefined ? 1 : 0);
    if (refusal !== undefined) assert.match(sim.message('Ready'), refusal);
  }
});

test('a predicate can be switched off by name, and each use is told', () => {
  const sim = new Sim();
  sim.library = { ...readyLibrary, ready: { status: 'False', reason: 'CollectionRed', message: '' } };
  sim.annotate('disable-predicates', 'library-ready');
  sim.pass();
  assert.deepEqual(
    overruledBy({ ...sim.world, job: { ...sim.world.job, status: {} } }).map(({ name }) => name),
    ['library-ready'],
  );
  sim.pass();
  assert.equal(sim.runsStarted.length, 1);
});

test('quality and failed documents stay in the conditions until another run says otherwise', () => {
  const sim = new Sim();
  sim.passes(3);
  sim.says({
    counts: { documents: 9, chunks: 20, embedded: 20, reused: 0, deleted: 0, failed: 2, tokens: 1 },
    failures: [{ path: 'a.bin', reason: 'Binary', message: 'holds null bytes' }],
    quality: {
      checkedAt: sim.now,
      gates: [
        { name: 'success', passed: false, message: '77 % of 99 %' },
        { name: 'dimensions', passed: true, message: 'all 3' },
      ],
      orphans: 0,
      missing: 1,
      duplicates: 2,
    },
  });
  sim.ends({ result: 'GateClosed', reason: 'GatesClosed', message: 'success: 77 % of 99 %' });
  sim.passes(2);
  assert.equal(sim.condition('QualityOk'), 'False GatesClosed');
  assert.match(sim.message('QualityOk'), /^success: 77 % of 99 %$/);
  assert.equal(sim.message('DocumentsFailed'), '2 documents failed: a.bin: Binary: holds null bytes');
  assert.deepEqual(
    [sim.job.status?.quality?.passed, sim.job.status?.quality?.failed, sim.job.status?.quality?.report],
    [1, 1, 'handbook-vec-progress'],
  );
  sim.annotate('run', 'again');
  sim.passes(3);
  sim.says();
  sim.passes(2);
  assert.equal(sim.condition('QualityOk'), 'False GatesClosed');
  assert.match(sim.message('DocumentsFailed'), /a\.bin/);
  sim.ends();
  sim.passes(2);
  assert.equal(sim.condition('DocumentsFailed'), undefined);
});

test('whatever happens, at most one worker runs, and a pass over an unchanged world says the same', () => {
  const happening = fc.constantFrom('pass', 'crash', 'end', 'fail', 'lose', 'edit', 'run', 'suspend', 'resume', 'day');
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      const sim = new Sim({ schedule: '0 3 * * *' });
      for (const [index, what] of happenings.entries()) {
        if (what === 'pass') sim.pass();
        else if (what === 'crash') sim.pass({ crash: true });
        else if (what === 'end' && sim.run !== undefined) sim.ends();
        else if (what === 'fail' && sim.run !== undefined) sim.ends({ result: 'Failed', reason: 'Internal' });
        else if (what === 'lose') sim.jobs = [];
        else if (what === 'edit') sim.edit({ include: [`${index}/**`] });
        else if (what === 'run') sim.annotate('run', String(index));
        else if (what === 'suspend' || what === 'resume') sim.edit({ suspend: what === 'suspend' });
        else if (what === 'day') sim.now += 86_400_000;
        sim.now += 1000;
        assert.ok(sim.jobs.filter(({ state }) => state === 'running').length <= 1);
      }
      // Every state has a way out: the longest pause is ten minutes.
      sim.edit({ suspend: false });
      sim.now += 900_000;
      for (let left = 0; left < 12; left += 1) {
        sim.pass();
        if (sim.run !== undefined && sim.jobs.length > 0) sim.ends();
        sim.now += 10;
      }
      assert.equal(sim.condition('Ready'), 'True Succeeded');
      const before = structuredClone(sim.job.status);
      sim.pass();
      assert.deepEqual(sim.job.status, before);
    }),
    { numRuns: 300 },
  );
});

test('tokens are told as money where the spec knows a price', () => {
  const sim = new Sim({ budget: { pricePerMillionTokens: '0.13', maxCost: '2.5' } });
  sim.passes(3);
  const counts = { documents: 1, chunks: 2, embedded: 2, reused: 0, deleted: 0, failed: 0, tokens: 1_500_000 };
  sim.says({ step: 'Embedding', counts });
  sim.pass();
  assert.equal(sim.job.status?.progress?.cost, '0.195');
  sim.ends();
  sim.passes(2);
  assert.equal(sim.job.status?.lastRun?.cost, '0.195');
  assert.equal(rested().job.status?.lastRun?.cost, undefined);
});

test('documents that failed for a reason that may pass are tried again, more and more rarely; all else is there', () => {
  const sim = new Sim();
  const pauses: number[] = [];
  for (let round = 0; round < 14; round += 1) {
    sim.passes(3);
    const counts = { documents: 10, chunks: 20, embedded: 0, reused: 20, deleted: 0, failed: 1, tokens: 0 };
    sim.says({ counts, failures: [{ path: 'a.md', reason: 'Vanished', message: 'a.md was listed and is gone' }] });
    sim.ends({ again: true });
    const ended = Math.floor(sim.now / 1000) * 1000;
    sim.passes(2);
    assert.equal(sim.condition('Ready'), 'True Succeeded');
    assert.match(sim.message('DocumentsFailed'), /a\.md: Vanished/);
    pauses.push((Date.parse(sim.job.status?.nextAt ?? '') - ended) / 1000);
    sim.now = Date.parse(sim.job.status?.nextAt ?? '');
  }
  assert.deepEqual(pauses.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(pauses.at(-1), 4 * 3600);
  sim.passes(3);
  assert.equal(sim.job.status?.progress?.cause, 'Retry');
  sim.ends();
  sim.passes(2);
  assert.equal(sim.job.status?.nextAt, undefined);
});

test('the digest is of what a run does, whatever the order of the fields', () => {
  const one = vectorizationJob({ mode: 'Full', include: ['a'] });
  const other = { ...one, spec: { ...Object.fromEntries(Object.entries(one.spec).toReversed()) } } as typeof one;
  assert.equal(specDigest(one), specDigest(other));
  assert.notEqual(specDigest(one), specDigest(vectorizationJob({ mode: 'Repair', include: ['a'] })));
  const inputs = { digest: undefined, settledAt: 0, secrets: undefined };
  assert.deepEqual(dueNow({ job: one, now: 0, settings, inputs }), { cause: 'Spec' });
});
