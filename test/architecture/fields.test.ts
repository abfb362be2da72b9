import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '../..');

/** Where each kind is acted on. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  qdrantclusters: ['cluster', 'qdrant', 'rebalance', 'library'],
  domainlibraries: ['library', 'migration', 'gateway', 'rebalance'],
  rebalancepolicies: ['rebalance', 'library', 'migration'],
  vectorizationjobs: ['vectorize', 'gateway'],
};

/** Handed on as they are, for people to read, or named in `FieldsNotActedOn` by the field above them. */
const KNOWN: readonly RegExp[] = [
  /^qdrantclusters spec\.config\./,
  /^qdrantclusters spec\.(affinity|tolerations|topologySpreadConstraints|networkPolicy\.from)/,
  /^qdrantclusters spec\.(tls|keyRotation)\./,
  /^domainlibraries spec\.(description$|tuning\.)/,
  /elector\.match(Labels|Expressions)/,
];

type Schema = { readonly properties?: Record<string, Schema>; readonly items?: Schema };

function* paths(schema: Schema, path: string): Generator<readonly [path: string, name: string]> {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, name];
    yield* paths(inner, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* paths(schema.items, `${path}[]`);
}

const sources = (room: string): string =>
  readdirSync(join(ROOT, 'src', room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(ROOT, 'src', room, file), 'utf8'))
    .join('\n');

for (const [plural, rooms] of Object.entries(ROOMS)) {
  test(`no field of ${plural} is taken and never looked at`, () => {
    const definition = load(readFileSync(join(ROOT, 'crds', `${plural}.yaml`), 'utf8')) as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
    };
    const schema = definition.spec.versions[0]?.schema.openAPIV3Schema.properties.spec;
    assert.ok(schema !== undefined);
    const words = new Set(rooms.map(sources).join('\n').match(/\w+/g));
    const ignored = [...paths(schema, 'spec')]
      .filter(([path, name]) => !words.has(name) && !KNOWN.some((known) => known.test(`${plural} ${path}`)))
      .map(([path]) => path);
    assert.deepEqual(ignored, []);
  });
}
