import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Field names whose values never reach a log line, at any of the first three levels of nesting. */
const SECRET_FIELDS = [
  'apiKey',
  'api-key',
  'api_key',
  'readOnlyApiKey',
  'token',
  'password',
  'authorization',
  'data',
  'stringData',
];

const REDACTED_PATHS = SECRET_FIELDS.flatMap((field) => {
  const quoted = `["${field}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
});

/**
 * JSON logs on standard output: one line an event, the message constant, the facts in fields.
 *
 * @param level pino's level names; unknown ones throw
 * @param destination where lines go; standard output when not given
 */
export function createLogger(level = 'info', destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** A logger that says nothing: for tests and for library users who pass none. */
export const silentLogger: Logger = pino({ level: 'silent' });
