import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODEL, startExternalEmbedder } from '../../../sandbox/external-embedder.ts';

test('an embedder as a process of its own: struck, healed, and it tells what went out', async () => {
  // Of no sandbox: those have networks from 127.2 on.
  const embedder = await startExternalEmbedder({ address: '127.1.77.1', dimensions: 8, apiKey: 'key' });
  const ask = async (key = 'key') => {
    const body = JSON.stringify({ model: MODEL, input: ['red apples', 'green pears'] });
    const headers = { authorization: `Bearer ${key}` };
    return (await fetch(`${embedder.url}/api/embed`, { method: 'POST', body, headers })).status;
  };
  try {
    await embedder.strike({ kind: 'status', status: 429 }, 100);
    assert.deepEqual([await ask('another'), await ask(), await ask()], [401, 429, 429]);
    await embedder.heal();
    assert.deepEqual([await ask(), await ask()], [200, 200]);
    const { texts, repeated, tokens } = await embedder.served();
    assert.deepEqual({ texts, repeated, tokens }, { texts: 2, repeated: 2, tokens: 8 });
  } finally {
    await embedder.stop();
  }
  await assert.rejects(ask());
});
