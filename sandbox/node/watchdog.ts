import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Reads `+ <process group>`, `- <process group>` and `keep` (the directory) lines. When its input ends, for whatever reason (also `kill -9` of
 * the agent: the kernel closes the pipe), it kills the groups that are left and removes the directory, if one is given.
 */
const SCRIPT = `
trap '' INT TERM HUP
groups=
while read -r operation group; do
  case $operation in
    +) groups="$groups $group" ;;
    -) kept=
       for one in $groups; do [ "$one" = "$group" ] || kept="$kept $one"; done
       groups=$kept ;;
    keep) set -- ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
if [ -n "$1" ]; then
  rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }
fi
`;

/** A shell of its own session that outlives the agent by a moment and leaves nothing of it running. */
export class Watchdog {
  readonly #shell: ChildProcess;

  /** @param directory removed when the agent dies without `close` */
  constructor(directory?: string) {
    const stdio = ['pipe', 'ignore', 'ignore'] as const;
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'watchdog', directory ?? ''], {
      detached: true,
      stdio: [...stdio],
      cwd: '/',
    });
    this.#shell.unref();
    this.#shell.stdin?.on('error', () => undefined);
  }

  /** From now on the process group dies with this process. */
  add(group: number): void {
    this.#shell.stdin?.write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#shell.stdin?.write(`- ${group}\n`);
  }

  /** The agent ends in order: whatever is still registered is killed, the directory stays. */
  async close(): Promise<void> {
    const ended =
      this.#shell.exitCode === null && this.#shell.signalCode === null ? once(this.#shell, 'exit') : undefined;
    this.#shell.ref();
    this.#shell.stdin?.end('keep\n');
    await ended;
  }
}
