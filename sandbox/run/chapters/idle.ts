import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATOR_USER } from '../../sandbox.ts';
import { mebibytes } from '../facts.ts';
import { residentBytes } from '../memory.ts';
import type { Chapter, Stage } from '../stage.ts';
import { isReady } from '../wait.ts';

export const idle: Chapter = {
  title: 'nothing changes: nothing is written',
  play: async (stage, progress) => {
    const { facts, signal, sandbox } = stage;
    const { audit } = sandbox.controlPlane;
    const total = audit.count({ user: OPERATOR_USER });
    await stage.cluster('stacks', { holds: isReady, what: 'Ready', timeoutSeconds: 20 });
    progress('waiting until what was written last has been told');
    await quiet(stage);
    audit.reset();
    progress('watching for 5 s, over two resyncs');
    await sleep(5000, undefined, { signal });
    const writes = audit.summary().filter(isOperatorWrite);
    const what = writes.map(({ verb, resource, count }) => `${count} x ${verb} ${resource}`).join(', ');
    facts.check('write requests on an idle resync', what || '0', writes.length === 0);
    const resting = audit.count({ user: OPERATOR_USER });
    facts.note('API requests of the operator', `${total} in all, ${resting} in the 5 s of rest`);
    const operator = stage.operatorProcess();
    if (operator !== undefined) facts.note('memory of the operator', mebibytes(await residentBytes(operator.pid)));
  },
};

/** Sizes of vectors are asked for every 5 s at most, and told at the next look. */
const QUIET_MILLISECONDS = 7500;
const PATIENCE_MILLISECONDS = 20_000;

/** Counts of points and sizes are told some seconds late; afterwards nothing is left to say. */
async function quiet({ sandbox, signal }: Stage): Promise<void> {
  const begun = performance.now();
  let lastWrite = begun;
  const unsubscribe = sandbox.controlPlane.audit.onRequest((entry) => {
    if (isOperatorWrite(entry)) lastWrite = performance.now();
  });
  while (performance.now() - lastWrite < QUIET_MILLISECONDS && performance.now() - begun < PATIENCE_MILLISECONDS) {
    await sleep(100, undefined, { signal });
  }
  unsubscribe();
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** A request of the operator that could write; the Lease is renewed at all times. */
const isOperatorWrite = ({ user, verb, resource }: { user: string; verb: string; resource: string }): boolean =>
  user === OPERATOR_USER && WRITES.has(verb) && !resource.includes('leases');
