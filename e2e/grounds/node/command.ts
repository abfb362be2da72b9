import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program and gives what it prints. @throws Error with the end of what it said */
export async function command(
  program: string,
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    const options = { maxBuffer: 1 << 26, env: environment ?? process.env };
    return (await execute(program, [...args], options)).stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    const said = stderr.trim().split('\n').slice(-5).join('\n');
    throw new Error(`${program} ${args.slice(0, 3).join(' ')}: ${said === '' ? message : said}`, { cause: error });
  }
}
