import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorSettings } from '../src/settings.ts';

test('defaults are those of client-go for the Lease, and the measured settling time of five seconds', () => {
  const settings = operatorSettings({ POD_NAMESPACE: 'system', POD_NAME: 'operator-0' });
  assert.deepEqual([settings.leaseSeconds, settings.renewSeconds, settings.retrySeconds], [15, 10, 2]);
  assert.equal(settings.settleSeconds, 5);
  assert.deepEqual(
    [settings.namespace, settings.identity, settings.watchNamespace],
    ['system', 'operator-0', undefined],
  );
});

for (const [variable, value, rule] of [
  ['RESYNC_SECONDS', 'often', /must be a number from 1 to 86400/],
  ['RESYNC_SECONDS', '', /must be a number/],
  ['SETTLE_SECONDS', '1', /must be a number from 5/],
  ['METRICS_PORT', '70000', /from 0 to 65535/],
  ['LOG_LEVEL', 'chatty', /must be one of fatal, error/],
  ['RENEW_SECONDS', '20', /must lie between 1.2 x RETRY_SECONDS \(2\) and LEASE_SECONDS \(15\)/],
  ['RENEW_SECONDS', '2.2', /must lie between 1.2 x RETRY_SECONDS/],
  ['BUSY_SECONDS', '5', /must be less than SETTLE_SECONDS \(5\)/],
  ['IMAGE_PULL_SECRETS', 'registry mirror', /must be names of Secrets, separated by commas/],
  ['RESYNC_SECOND', '5', /is not a setting; known: .*QDRANT_LIBRARIAN_RESYNC_SECONDS/],
] as const) {
  test(`${variable}=${JSON.stringify(value)} is refused with the variable, the value and the rule`, () => {
    const name = `QDRANT_LIBRARIAN_${variable}`;
    assert.throws(
      () => operatorSettings({ [name]: value }),
      (error: Error) => error.message.startsWith(`${name}=${JSON.stringify(value)}: `) && rule.test(error.message),
    );
  });
}

test('workers get the image, its pull secrets, the log level and the trace endpoint; no token', () => {
  const handedOn = {
    QDRANT_LIBRARIAN_LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  };
  const settings = operatorSettings({
    ...handedOn,
    QDRANT_LIBRARIAN_IMAGE_PULL_SECRETS: 'registry, mirror.example.org',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '',
  });
  assert.deepEqual(settings.workerPullSecrets, ['registry', 'mirror.example.org']);
  assert.deepEqual(settings.workerEnvironment, handedOn);
  assert.deepEqual([operatorSettings({}).workerPullSecrets, operatorSettings({}).workerEnvironment], [[], {}]);
});
