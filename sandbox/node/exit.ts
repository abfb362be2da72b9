import { constants } from 'node:os';

const SIGNAL_NUMBERS = new Map<string, number>(Object.entries(constants.signals));

/** How a process ended, in the words of a container status. */
export type Exit = { readonly exitCode: number; readonly signal?: number };

/** The exit code a container runtime reports: 128 + signal for a killed process. */
export function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal === null) return { exitCode: code ?? 255 };
  const number = SIGNAL_NUMBERS.get(signal) ?? 0;
  return { exitCode: 128 + number, signal: number };
}
