import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circles } from './circles.ts';
import { type Source, sources } from './sources.ts';

/** Floors from the ground up: a room may import rooms of lower floors only, and no room of its own floor. */
const FLOORS: readonly (readonly string[])[] = [
  ['api', 'vectors', 'telemetry', 'http'],
  ['kube', 'qdrant'],
  ['migration'],
  ['cluster', 'library', 'rebalance', 'vectorize', 'gateway'],
];
const TOP = [
  'settings',
  'gateway-settings',
  'validate',
  'roles',
  'access',
  'operator',
  'query-embedders',
  'gateway-process',
  'main',
].map((name) => `src/${name}.ts`);

const MAX_LINES = 500;

/** Packages that can open a connection, and where they may be used. */
const CONNECTING =
  /^(?:undici|node:https?|node:http2|node:net|node:tls|@connectrpc\/.*|@qdrant\/.*|@kubernetes\/client-node.*|@aws-sdk\/.*)$/;
const MAY_CONNECT: readonly { readonly where: RegExp; readonly what: RegExp }[] = [
  {
    where: /^src\/qdrant\//,
    what: /^(?:undici|node:https?|node:http2|node:tls|@connectrpc\/.*|@qdrant\/.*)$/,
  },
  { where: /^src\/kube\//, what: /^(?:undici|node:https?|node:tls|@kubernetes\/client-node.*)$/ },
  { where: /^src\/telemetry\//, what: /^node:(?:http|net)$/ },
  // To the bucket of snapshots.
  { where: /^src\/library\/snapshots\/bucket\.ts$/, what: /^@aws-sdk\/.*$/ },
  // To endpoints that embed text.
  { where: /^src\/vectorize\/embed\/transport\.ts$/, what: /^undici$/ },
  // To pages and buckets that are read.
  { where: /^src\/vectorize\/source\/bucket\.ts$/, what: /^@aws-sdk\/client-s3$/ },
  { where: /^src\/vectorize\/source\/http\/fetch\.ts$/, what: /^undici$/ },
];

const room = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];
const floor = (name: string): number => FLOORS.findIndex((rooms) => rooms.includes(name));

function forbiddenImport(source: Source, target: string): string | undefined {
  if (!target.startsWith('src/')) {
    return /^(?:sandbox|test|e2e|bench|scripts)\//.test(target) ? `${source.path} imports ${target}` : undefined;
  }
  const from = room(source.path);
  const to = room(target);
  if (from === undefined) {
    const above = to === undefined && TOP.indexOf(target) >= TOP.indexOf(source.path);
    return above ? `${source.path} imports ${target}` : undefined;
  }
  if (to === from) return undefined;
  if (to === undefined || floor(to) >= floor(from)) return `${source.path} imports ${target}`;
  return undefined;
}

test('arrows run down only: no room imports a room beside or above it, and src never imports the sandbox', () => {
  const wrong = sources('src').flatMap((source) =>
    source.imports.map((target) => forbiddenImport(source, target)).filter((problem) => problem !== undefined),
  );
  assert.deepEqual(wrong, []);
});

test('no circles: no file needs itself by way of others, not even for a type', () => {
  assert.deepEqual([...circles(sources('src')), ...circles(sources('sandbox'))], []);
});

test('every room of src stands on a floor', () => {
  const unknown = new Set(
    sources('src')
      .map(({ path }) => room(path))
      .filter((name) => name !== undefined && floor(name) < 0),
  );
  assert.deepEqual([...unknown], []);
});

test('only src/qdrant opens connections to Qdrant, and only src/kube to Kubernetes', () => {
  const may = (path: string, name: string): boolean =>
    MAY_CONNECT.some(({ where, what }) => where.test(path) && what.test(name));
  const wrong = sources('src').flatMap(({ path, loads }) =>
    loads.filter((name) => CONNECTING.test(name) && !may(path, name)).map((name) => `${path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('deciding code does no I/O: decide, predicates, report and objects import no client and no Node module that acts', () => {
  const pure = [
    /^src\/(?:cluster|library(?:\/snapshots)?|migration|vectorize)\/(?:decide|predicates|report|objects|shape|diff|profiles)(?:\/.*)?(?:\.ts)$/,
    /^src\/rebalance\/(?!act|gather|reconciler|controller|deps|index)/,
    // Grammars are files that are loaded.
    /^src\/vectorize\/parse\/(?!grammars)/,
  ];
  const acting = /^(?:undici|node:(?!crypto|assert).*|@kubernetes\/.*|@qdrant\/.*)$|\/(?:act|gather|reconciler)\.ts$/;
  const wrong = sources('src')
    .filter(({ path }) => pure.some((rule) => rule.test(path)))
    .flatMap(({ path, imports }) =>
      imports.filter((name) => acting.test(name)).map((name) => `${path} imports ${name}`),
    );
  assert.deepEqual(wrong, []);
});

test(`no file has more than ${MAX_LINES} lines`, (context) => {
  const all = ['src', 'sandbox', 'test', 'e2e', 'bench', 'scripts'].flatMap((folder) => safeSources(folder));
  const sizes = sources('src')
    .map(({ lines }) => lines)
    .toSorted((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  context.diagnostic(`src: ${sizes.length} files, median ${median} lines, largest ${sizes.at(-1) ?? 0}`);
  assert.deepEqual(
    all.filter(({ lines }) => lines > MAX_LINES + 1).map(({ path, lines }) => `${path}: ${lines}`),
    [],
  );
});

function safeSources(folder: string): Source[] {
  try {
    return sources(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
