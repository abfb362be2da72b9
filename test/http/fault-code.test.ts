import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultCode } from '../../src/http/index.ts';

const coded = (code: unknown, more: object = {}): Error => Object.assign(new Error('m'), { code }, more);

test('the first code along the causes is the code of a failure, also of the first of several', () => {
  assert.equal(faultCode(coded('ECONNREFUSED')), 'ECONNREFUSED');
  assert.equal(faultCode(new TypeError('fetch failed', { cause: coded('ENOTFOUND') })), 'ENOTFOUND');
  assert.equal(faultCode(new AggregateError([coded('EHOSTUNREACH'), coded('ECONNREFUSED')])), 'EHOSTUNREACH');
  assert.equal(faultCode(coded('', { cause: coded('EPIPE') })), 'EPIPE');
});

test('what has no code has an empty one, a number is none, and a ring of causes comes to an end', () => {
  const ring = new Error('m');
  ring.cause = ring;
  for (const error of [undefined, null, 'text', new Error('m'), coded(14), ring]) assert.equal(faultCode(error), '');
});

test('a caller says which texts it takes for a code', () => {
  const error = coded('said the key sk-1', { cause: coded('EPIPE') });
  assert.equal(
    faultCode(error, (code) => /^[A-Z]+$/.test(code)),
    'EPIPE',
  );
});
