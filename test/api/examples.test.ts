import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  type AnyLibrarianObject,
  applyDefaults,
  isRecord,
  KINDS,
  readManifest,
  validate,
} from '../../src/api/index.ts';

const folder = new URL('../../manifests/examples/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
const samples = texts
  .flatMap((text) => readManifest(text))
  .map(({ value }) => value)
  .filter((value) => isRecord(value) && String(value['apiVersion']).startsWith('qdrant-librarian.io/'))
  .map((value) => value as AnyLibrarianObject);

test('every sample is valid, as written and with its defaults', () => {
  for (const sample of samples) {
    assert.deepEqual(validate(sample), [], sample.metadata.name);
    assert.deepEqual(validate(applyDefaults(sample)), [], sample.metadata.name);
  }
});

test('there is a sample of every kind', () => {
  assert.deepEqual(new Set(samples.map(({ kind }) => kind)), new Set(KINDS.map(({ kind }) => kind)));
});
