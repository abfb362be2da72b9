import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_CONDITIONS, REBALANCE_CONDITIONS } from '../../scripts/generate/reasons.ts';
import { REASONS as CLUSTER_REASONS } from '../../src/cluster/reasons.ts';
import { GATEWAY_ERRORS } from '../../src/gateway/index.ts';
import { gatewaySettings } from '../../src/gateway-settings.ts';
import * as predicates from '../../src/library/predicates.ts';
import { REASONS as LIBRARY_REASONS } from '../../src/library/reasons.ts';
import { LEFT_FILE_PREDICATES } from '../../src/library/snapshots/asked.ts';
import * as snapshotPredicates from '../../src/library/snapshots/predicates.ts';
import { SWEEP_PREDICATES } from '../../src/library/snapshots/sweep.ts';
import {
  GATE_PREDICATES,
  REASONS as REBALANCE_REASONS,
  START_PREDICATES,
  LIBRARY_PREDICATES as STAY_PREDICATES,
  TARGET_PREDICATES,
} from '../../src/rebalance/index.ts';
import { CONDITION_TYPES } from '../../src/rebalance/report/conditions.ts';
import { operatorSettings } from '../../src/settings.ts';
import { checkManifests } from '../../src/validate.ts';
import { RUN_PREDICATES } from '../../src/vectorize/predicates.ts';
import { REASONS as VECTORIZE_REASONS } from '../../src/vectorize/reasons.ts';
import { sources } from '../architecture/sources.ts';
import { brokenLinks, pages, read, yamlBlocks } from './pages.ts';

const all = pages();
const whole = all.map(({ text }) => text).join('\n');
const names = (pattern: RegExp, text = whole): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([found]) => found)),
];

/** The settings as a process itself lists them to somebody who names one that it doesn't know. */
function settingsOf(read: (environment: NodeJS.ProcessEnv) => unknown): string[] {
  try {
    read({ QDRANT_LIBRARIAN_NO_SUCH_SETTING: '1' });
  } catch (error) {
    return names(/QDRANT_LIBRARIAN_[A-Z_]+/g, String(error).split('known:')[1] ?? '');
  }
  throw new Error('an unknown setting was accepted');
}

test('every relative link leads to a file and a heading that exist', () => {
  assert.deepEqual(all.flatMap(brokenLinks), []);
});

test('every page of docs stands in an index', () => {
  const indexes = `${read('docs/README.md')}${read('docs/adr/README.md')}`;
  const missing = all
    .map(({ path }) => path)
    .filter((path) => /^docs\/(?!README|adr\/README)/.test(path))
    .filter((path) => !indexes.includes(`(${path.replace(/^docs\/(?:adr\/)?/, '')})`));
  assert.deepEqual(missing, []);
});

test('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...whole.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map(([, name = '']) => name);
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

test("every sample of the operator's kinds is valid by the API server's rules", () => {
  const samples = all.flatMap(yamlBlocks).filter(({ text }) => text.includes('qdrant-librarian.io/v'));
  assert.ok(samples.length > 5);
  // Pages may show one object twice: each block is a file of its own.
  const problems = samples.flatMap(({ source, text }) => checkManifests([{ file: source, text }]).problems);
  assert.deepEqual(problems, []);
});

test('settings that are named exist, and each is documented', () => {
  const operators = settingsOf(operatorSettings);
  const gateways = settingsOf(gatewaySettings);
  const unknown = names(/QDRANT_LIBRARIAN_[A-Z]+(?:_[A-Z]+)*/g).filter(
    (name) => !operators.includes(name) && !gateways.includes(name),
  );
  assert.deepEqual(unknown, []);
  const undocumented = (page: string, known: readonly string[]): string[] =>
    known.filter((name) => !read(page).includes(`| \`${name}\` |`));
  assert.deepEqual(undocumented('docs/operate.md', operators), []);
  assert.deepEqual(undocumented('docs/gateway.md', gateways), []);
});

test('every error code of the gateway stands in its page, with its status', () => {
  const page = read('docs/gateway.md');
  const missing = Object.entries(GATEWAY_ERRORS).filter(
    ([code, { status }]) => !page.includes(`| \`${code}\` | ${status} |`),
  );
  assert.deepEqual(missing, []);
});

const METRIC =
  /\b(?:qdrant_librarian|qdrant_client|controller_runtime|workqueue|rest_client|leader_election|kube_informer)_[a-z_]+[a-z]\b/g;

test('metrics that are named exist, and each is documented', () => {
  const code = sources('src')
    .filter(({ path }) => /metrics|instruments|transport|leader|informer|access/.test(path))
    .map(({ path }) => read(path))
    .join('\n');
  const known = names(new RegExp(`'${METRIC.source}'`, 'g'), code).map((name) => name.slice(1, -1));
  assert.ok(known.length > 10);
  assert.deepEqual(
    names(METRIC).filter((name) => !known.includes(name)),
    [],
  );
  const page = read('docs/operate.md') + read('docs/gateway.md');
  assert.deepEqual(
    known.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});

test('every condition type of a QdrantCluster has its sentence', () => {
  const code = read('src/cluster/report/facts.ts');
  const types = new Set([...code.matchAll(/\bis(?:Not)?\('([A-Za-z]+)'/g)].map(([, type = '']) => type));
  assert.deepEqual([...types].toSorted(), Object.keys(CLUSTER_CONDITIONS).toSorted());
});

test('the tables of conditions name reasons that exist', () => {
  const page = read('docs/kinds.md');
  const known = new Set(
    [CLUSTER_REASONS, LIBRARY_REASONS, REBALANCE_REASONS, VECTORIZE_REASONS].flatMap((reasons) => Object.keys(reasons)),
  );
  const rows = [...page.matchAll(/^\| `[A-Za-z]+` (?:True|False)[^|]*\| ([^|]*) \|/gm)];
  assert.ok(rows.length > 30);
  const named = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([A-Za-z]+)`/g)].map(([, name = '']) => name));
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

test('docs/predicates.md names every predicate of snapshots and rollbacks, and every step with its predicates in order', () => {
  const page = sectionOf('Snapshots and rollback');
  assert.deepEqual(predicatesIn(page).toSorted(), [...snapshotPredicates.SNAPSHOT_PREDICATES].toSorted());
  const { MAKE_PREDICATES, DROP_SNAPSHOT_PREDICATES, RESTORE_PREDICATES, ROLLBACK_PREDICATES, BACK_PREDICATES } =
    snapshotPredicates;
  const lists: readonly (readonly { readonly name: string }[])[] = [
    MAKE_PREDICATES,
    DROP_SNAPSHOT_PREDICATES,
    LEFT_FILE_PREDICATES,
    SWEEP_PREDICATES,
    [...RESTORE_PREDICATES, ...ROLLBACK_PREDICATES],
    BACK_PREDICATES,
  ];
  assert.deepEqual(
    stepsIn(page),
    lists.map((list) => list.map(({ name }) => `\`${name}\``).join(', ')),
  );
});

const sectionOf = (heading: string): string =>
  read('docs/predicates.md').split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
const predicatesIn = (section: string): string[] =>
  [...section.matchAll(/^\| `([a-z-]+)` \| \S/gm)].map(([, name = '']) => name);
const stepsIn = (section: string): (string | undefined)[] =>
  [...section.matchAll(/^\| [A-Z][^|]* \| (`.*`) \|$/gm)].map(([, list]) => list);

test('docs/predicates.md names every predicate of a VectorizationJob, in the order in which they are asked', () => {
  const section = sectionOf('VectorizationJob');
  const names = RUN_PREDICATES.map(({ name }) => name);
  assert.deepEqual(predicatesIn(section), names.toSorted());
  assert.deepEqual(stepsIn(section), [names.map((name) => `\`${name}\``).join(', ')]);
});

test('docs/predicates.md names every predicate of a DomainLibrary, and every step with its predicates in order', () => {
  const page = sectionOf('DomainLibrary');
  assert.deepEqual(predicatesIn(page).toSorted(), [...predicates.LIBRARY_PREDICATES].toSorted());
  const steps = stepsIn(page);
  const lists: readonly (readonly { readonly name: string }[])[] = [
    predicates.CREATE_PREDICATES,
    predicates.START_PREDICATES,
    predicates.MOVE_PREDICATES,
    predicates.VECTOR_PREDICATES,
    predicates.FENCE_PREDICATES,
    predicates.SWITCH_PREDICATES,
    predicates.DROP_PREDICATES,
    predicates.RETIRE_PREDICATES,
  ];
  assert.deepEqual(
    steps,
    lists.map((list) => list.map(({ name }) => `\`${name}\``).join(', ')),
  );
});

test('docs/predicates.md names every predicate of a RebalancePolicy, and those of its steps in order', () => {
  const page = read('docs/predicates.md').split('## RebalancePolicy')[1] ?? '';
  const named = [...page.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| [A-Z]/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name),
  );
  const all = [GATE_PREDICATES, START_PREDICATES, STAY_PREDICATES, TARGET_PREDICATES].flat();
  assert.deepEqual(named.toSorted(), all.map(({ name }) => name).toSorted());
  const steps = [...page.matchAll(/^\| [A-Z][^|]* \| (`.*`) \|$/gm)].map(([, list]) => list);
  assert.deepEqual(
    steps,
    [GATE_PREDICATES, START_PREDICATES].map((list) => list.map(({ name }) => `\`${name}\``).join(', ')),
  );
});

test('every condition type of a RebalancePolicy has its sentence', () => {
  const types = ['Ready', 'Reconciling', 'Stalled', ...CONDITION_TYPES];
  assert.deepEqual(types.toSorted(), Object.keys(REBALANCE_CONDITIONS).toSorted());
});
