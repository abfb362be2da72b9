import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { cluster, library, policy } from '../../api/objects.ts';
import { statefulSet } from './contract/world.ts';
import { type RealServer, startRealServer, whyNotReal } from './real.ts';
import { commandsOf, type Files } from './twins/commands.ts';
import { normalText } from './twins/normal-text.ts';

const run = promisify(execFile);
/** Not `default`: a real cluster has a Service of its own there. */
const NAMESPACE = 'desk';
const CRDS = resolve(import.meta.dirname, '../../../crds');

/** The kubectl beside the server, else the one on PATH. */
function kubectl(): string | undefined {
  const own = join(process.env['KUBEBUILDER_ASSETS'] ?? '', 'kubectl');
  if (existsSync(own)) return own;
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return 'kubectl';
  } catch {
    return undefined;
  }
}

class Side {
  readonly #program: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(program: string, home: string, config: string) {
    this.#program = program;
    this.#environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      KUBECONFIG: config,
      KUBECACHEDIR: join(home, 'cache'),
    };
  }

  /** What a command prints, and that it failed. */
  async say(args: readonly string[]): Promise<string> {
    try {
      const { stdout, stderr } = await run(this.#program, [...args], { env: this.#environment });
      return normalText(stdout + stderr);
    } catch (failure) {
      const { code, stdout, stderr } = failure as { code: number; stdout: string; stderr: string };
      return normalText(`${stdout}${stderr}exit ${code}`);
    }
  }
}

const program = kubectl();
const skip = whyNotReal !== false ? whyNotReal : program === undefined ? 'there is no kubectl' : false;

/** kubectl's view of both servers: every command in turn, as a user works; what it prints must be the same. */
describe('kubectl sees no difference', { skip }, () => {
  let directory: string;
  let real: RealServer;
  let embedded: ApiServer;
  let sides: readonly [mine: Side, other: Side];
  const files: Files = { definitions: CRDS, path: (name) => join(directory, name) };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubectl-twins-'));
    real = await startRealServer();
    let addresses = 0;
    embedded = await startApiServer({ allocateClusterIP: () => `10.0.0.${++addresses}` });
    const side = async (name: string, config: string): Promise<Side> => {
      const file = join(directory, `${name}.config`);
      await writeFile(file, config, { mode: 0o600 });
      return new Side(program ?? '', join(directory, name), file);
    };
    sides = [
      await side('embedded', embedded.kubeconfig('system:admin', NAMESPACE)),
      await side('real', real.kubeconfig(NAMESPACE)),
    ];
    const objects: Record<string, object> = {
      'cluster.json': cluster(),
      'changed.json': cluster({ size: 5, nodeSelector: { disk: 'ssd' } }),
      'library.json': library(),
      'policy.json': policy(),
      'unknown.json': cluster({ sise: 3 }, 'odd'),
      'wrong.json': cluster({ size: 'three' }, 'odd'),
      'broken.json': cluster({ apiKey: {}, size: 0 }, 'odd'),
      'set.json': statefulSet('docs'),
      'set-changed.json': statefulSet('docs', { replicas: 2 }),
      'service.json': {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'docs', labels: { app: 'docs' } },
        spec: {
          selector: { app: 'docs' },
          ports: [
            { name: 'http', port: 6333 },
            { name: 'grpc', port: 6334 },
          ],
        },
      },
      'budget.json': {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'docs' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'docs' } } },
      },
      'network.json': {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'docs' },
        spec: { podSelector: { matchLabels: { app: 'docs' } }, ingress: [{ ports: [{ port: 6333 }] }] },
      },
      'event.json': {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'docs.1', namespace: NAMESPACE },
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Normal',
        reason: 'KeysGenerated',
        action: 'Create',
        note: 'Secret docs-apikey',
        reportingController: 'qdrant-librarian.io/operator',
        reportingInstance: 'operator-0',
        regarding: {
          apiVersion: 'qdrant-librarian.io/v1alpha1',
          kind: 'QdrantCluster',
          name: 'docs',
          namespace: 'default',
        },
      },
    };
    for (const each of sides) await each.say(['create', 'namespace', NAMESPACE]);
    for (const [name, object] of Object.entries(objects))
      await writeFile(join(directory, name), JSON.stringify(object));
  });
  after(async () => {
    await real?.stop();
    await embedded?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  for (const { title, commands } of commandsOf(files)) {
    test(title, async () => {
      const mine: string[] = [];
      const theirs: string[] = [];
      for (const args of commands()) {
        const [here, there] = await Promise.all(sides.map((side) => side.say(args)));
        if (here === there) continue;
        mine.push(`$ kubectl ${args.join(' ')}`, ...(here ?? '').split('\n'));
        theirs.push(`$ kubectl ${args.join(' ')}`, ...(there ?? '').split('\n'));
      }
      assert.deepEqual(mine, theirs);
    });
  }
});
