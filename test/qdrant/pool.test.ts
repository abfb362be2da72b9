import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientPool } from '../../src/qdrant/index.ts';
import { failure } from './support/clients.ts';
import { reply, startFake } from './support/fake-server.ts';

const connection = (apiKey: string, rest = 'http://127.0.0.1:1') => ({ peers: [{ name: 'docs-0', rest }], apiKey });

test('the same client while addresses and credentials are equal, a new one when they change', async () => {
  const pool = new ClientPool();
  const first = pool.get('a', connection('k'));
  assert.equal(pool.get('a', connection('k')), first);
  assert.notEqual(pool.get('b', connection('k')), first);
  assert.notEqual(pool.get('a', connection('other')), first);
  assert.notEqual(pool.get('a', connection('other', 'http://127.0.0.1:2')), first);
  assert.equal(pool.size, 2);
  await pool.close();
  assert.equal(pool.size, 0);
});

test('a client that is replaced ends what it runs, then takes no more', async (t) => {
  const server = await startFake();
  const pool = new ClientPool();
  t.after(() => Promise.all([pool.close(), server.close()]));
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    server.next((_request, response) => {
      answer = () => reply(response, { collections: [] });
      resolve();
    });
  });
  const old = pool.get('a', connection('k', server.url));
  const running = old.collections();
  await asked;
  pool.get('a', connection('new', server.url));
  answer();
  assert.deepEqual(await running, []);
  const error = await failure(old.deleteCollection('docs'));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.ambiguous, false);
});

test('a client that nobody asks for is closed after a while', async () => {
  let now = 0;
  const pool = new ClientPool({ idle: 1000, now: () => now });
  pool.get('a', connection('k'));
  now = 900;
  pool.get('b', connection('k'));
  now = 1500;
  pool.get('b', connection('k'));
  assert.equal(pool.size, 1);
  await pool.close();
});

test('a connection that cannot be is refused and leaves the pool as it was', async () => {
  const pool = new ClientPool();
  pool.get('a', connection('k'));
  assert.throws(() => pool.get('a', connection('')), /API key is empty/);
  assert.equal(pool.size, 1);
  await pool.close();
});
