import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TOOLS = join(import.meta.dirname, '../../e2e/tools/tools.ts');

/** Notes what is built, takes a while for it, and makes an executable of it. */
const GO = `#!/bin/sh
case $1 in
  env) echo go1.26 linux amd64 ;;
  list) echo v1.36.3 ;;
  build)
    echo "$@" >>"$BUILDS"
    sleep 0.2
    while [ "$1" != -o ]; do shift; done
    [ -z "$BROKEN" ] || { echo "syntax error in $2" >&2; exit 1; }
    : >"$2" && chmod +x "$2" ;;
esac
`;

let directory: string;
let environment: Record<string, string>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tools-'));
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin/go'), GO, { mode: 0o755 });
  environment = {
    PATH: `${join(directory, 'bin')}:/usr/bin:/bin`,
    XDG_CACHE_HOME: join(directory, 'cache'),
    BUILDS: join(directory, 'builds'),
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Asks for tools in a process of its own; gives their paths, and what was said before. */
async function ask(names: readonly string[], more: Record<string, string> = {}) {
  const script = `
    const { tools } = await import(${JSON.stringify(TOOLS)});
    const said = [];
    const paths = await tools(${JSON.stringify(names)}, (text) => said.push(text));
    console.log(JSON.stringify({ paths, said: said.join('') }));
  `;
  const env = { ...environment, ...more };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env });
  return JSON.parse(stdout) as { paths: Record<string, string>; said: string };
}

const builds = (): string[] =>
  existsSync(environment['BUILDS'] ?? '')
    ? readFileSync(environment['BUILDS'] ?? '', 'utf8')
        .trim()
        .split('\n')
    : [];

test('what is not there is built once, with its version in it, and how long it took is said', async () => {
  const first = await ask(['kubectl', 'helm']);
  assert.match(first.said, /kubectl is built: \d+ s/);
  assert.match(first.paths['kubectl'] ?? '', /cache\/qdrant-librarian\/tools\/[0-9a-f]{12}\/kubectl$/);
  assert.notEqual(first.paths['kubectl']?.split('/').at(-2), first.paths['helm']?.split('/').at(-2));
  const second = await ask(['kubectl', 'helm']);
  assert.deepEqual(second, { paths: first.paths, said: '' });
  const [kubectl, helm, ...more] = builds();
  assert.match(kubectl ?? '', /-trimpath.*gitVersion=v1\.36\.3.*gitMinor=36.*k8s\.io\/kubernetes\/cmd\/kubectl$/);
  assert.doesNotMatch(helm ?? '', /gitVersion/);
  assert.deepEqual(more, []);
});

test('two that ask at once wait for one build', async () => {
  const [one, other] = await Promise.all([ask(['etcd']), ask(['etcd'])]);
  assert.deepEqual(one.paths, other.paths);
  assert.equal(builds().length, 1);
});

test('KUBEBUILDER_ASSETS wins for what it has', async () => {
  const assets = join(directory, 'assets');
  mkdirSync(assets);
  writeFileSync(join(assets, 'etcd'), '', { mode: 0o755 });
  const { paths } = await ask(['etcd', 'kube-apiserver'], { KUBEBUILDER_ASSETS: assets });
  assert.equal(paths['etcd'], join(assets, 'etcd'));
  assert.match(paths['kube-apiserver'] ?? '', /cache/);
});

test('without Go it says what is missing and what would do instead', async () => {
  rmSync(join(directory, 'bin/go'));
  await assert.rejects(ask(['etcd'], { PATH: join(directory, 'bin') }), {
    message: /CannotStart.*etcd is built with Go.*KUBEBUILDER_ASSETS/s,
  });
});

test('a build that fails says why, and leaves nothing that would pass for a tool', async () => {
  await assert.rejects(ask(['etcd'], { BROKEN: 'yes' }), { message: /etcd can't be built[\s\S]*syntax error/ });
  assert.match((await ask(['etcd'])).said, /is built/);
});
