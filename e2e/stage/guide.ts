import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { commandsOf, manifestOf } from './guide-page.ts';
import { PATIENCE_SECONDS } from './patience.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');

type GuideOptions = {
  /** What is called otherwise here than on the page: addresses, names, models. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Files and folders of the repository that the reader is supposed to have. */
  readonly files?: readonly string[];
};

/** A page of docs/ as its reader follows it: the namespace `team-a`, or none, is the scenario's. */
export class Guide {
  readonly commands: readonly string[];
  readonly #stage: Stage;
  readonly #page: string;
  readonly #folder: string;
  readonly #instead: Map<string, string>;
  readonly #answers = new Map<string, string>();

  private constructor(
    stage: Stage,
    found: { page: string; folder: string; instead: Readonly<Record<string, string>> },
  ) {
    this.#stage = stage;
    this.#page = found.page;
    this.#folder = found.folder;
    this.#instead = new Map(Object.entries(found.instead));
    this.commands = commandsOf(found.page);
  }

  /** @param page its path in docs/ */
  static async open(stage: Stage, page: string, { instead = {}, files = [] }: GuideOptions = {}): Promise<Guide> {
    const text = await readFile(join(ROOT, 'docs', page), 'utf8');
    const folder = await mkdtemp(join(tmpdir(), 'qdrant-librarian-guide-'));
    stage.defer(() => rm(folder, { recursive: true }));
    for (const name of files) await symlink(join(ROOT, name), join(folder, name));
    return new Guide(stage, { page: text, folder, instead });
  }

  /** Writes the block that the page says to save under this name. */
  async save(file: string): Promise<void> {
    await writeFile(join(this.#folder, file), this.#here(manifestOf(this.#page, file)));
  }

  /** From now on: what the page calls `there` has this name here. */
  call(there: string, name: string): void {
    this.#instead.set(there, name);
  }

  /**
   * Runs every command of the page, in order.
   *
   * @param then what the reader waits for, or does himself, after a command
   */
  async follow(then: (command: string) => Promise<unknown> = () => Promise.resolve()): Promise<void> {
    for (const command of this.commands) {
      await this.run(command);
      await then(command);
    }
  }

  async run(command: string): Promise<string> {
    const { ground, namespace, diary } = this.#stage;
    diary.note('step', command);
    const PATH = [dirname(ground.kubectl), join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(':');
    const env = { ...process.env, PATH, KUBECONFIG: ground.kubeconfigFile };
    const here = this.#here(command)
      .replaceAll(/^kubectl /gm, `kubectl --namespace=${namespace} `)
      .replace(/^npx --no-install qdrant-librarian/, `${process.execPath} ${join(ROOT, 'src/main.ts')}`);
    const options = { cwd: this.#folder, env, timeout: 2 * PATIENCE_SECONDS * 1000 };
    const { stdout } = await run('bash', ['-o', 'pipefail', '-ec', here], options);
    this.#answers.set(command, stdout);
    return stdout;
  }

  /** What the first command that fits has printed. */
  said(part: RegExp): string {
    const found = [...this.#answers].find(([command]) => part.test(command));
    assert.ok(found !== undefined, `no command of the page fits ${part}`);
    return found[1];
  }

  #here(text: string): string {
    let here = text.replaceAll('team-a', this.#stage.namespace);
    for (const [there, name] of this.#instead) here = here.replaceAll(there, name);
    return here;
  }
}
