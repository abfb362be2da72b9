import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

/** The Lease as in production: it is what is left at rest. */
const LEASE = {
  QDRANT_LIBRARIAN_LEASE_SECONDS: '15',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '10',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '2',
};

const scenario = await scenarios({ needs: ['audit'], operator: LEASE });

/** Source: docs/testing.md, "The request budget". */
const PER_LIBRARY = 12;
const LEASE_PER_SECOND = 1;
const LIBRARIES = 6;
const REST_SECONDS = 15;

/** Requests of the operator since the audit was reset, by verb and resource; watches aside. */
const requests = ({ ground: { audit, operator } }: Stage) =>
  audit.summary().filter(({ user, verb }) => user === operator.user && verb !== 'watch');

const sum = (some: readonly { readonly count: number }[]): number => some.reduce((all, { count }) => all + count, 0);
const isLease = ({ resource }: { readonly resource: string }): boolean => resource.includes('leases');

scenario('the operator keeps to its budget of requests: per library, and at rest', async (stage, context) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.operator.atRest(3);
  stage.ground.audit.reset();
  const names = Array.from({ length: LIBRARIES }, (_, index) => `docs-${index}`);
  await Promise.all(names.map((name) => stage.createLibrary(name, 'desk', { shards: { number: 1 } })));
  await Promise.all(names.map((name) => stage.libraryReady(name, 1)));
  const made = requests(stage).filter((one) => !isLease(one));
  const text = made.map(({ verb, resource, code, count }) => `${count} x ${verb} ${resource} ${code}`).join(', ');
  context.diagnostic(`${sum(made)} requests for ${LIBRARIES} libraries: ${text}`);
  assert.ok(sum(made) <= PER_LIBRARY * LIBRARIES, text);

  await stage.operator.atRest(3);
  stage.ground.audit.reset();
  await sleep(REST_SECONDS * 1000);
  const rest = requests(stage);
  // An event that repeated before is brought up to date some time later.
  const others = rest.filter((one) => !isLease(one) && one.resource !== 'events.k8s.io/events');
  assert.deepEqual(others, [], 'at rest nothing is asked but the Lease');
  assert.ok(sum(rest.filter(isLease)) <= LEASE_PER_SECOND * REST_SECONDS, JSON.stringify(rest));
});
