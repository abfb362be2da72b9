import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** The worker's configuration is not what the operator writes. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Refusal = new (message: string) => Error;

/** What the operator has written for a worker. @throws Refused (a ConfigError when not given) for what is not JSON */
export function configValue(json: string, Refused: Refusal = ConfigError): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new Refused('the configuration is not JSON');
  }
}

/** @throws Refused (a ConfigError when not given) naming the field and its rule */
export function checkedConfig<T extends TSchema>(schema: T, value: unknown, Refused: Refusal = ConfigError): Static<T> {
  if (Value.Check(schema, value)) return value as Static<T>;
  const [error] = Value.Errors(schema, value);
  throw new Refused(`${error?.instancePath ?? ''}: ${error?.message ?? 'is not valid'}`);
}

/** What a worker has written down. @returns undefined for a text that is nothing of this form and version */
export function parseKept<T extends TSchema>(schema: T, json: string | undefined): Static<T> | undefined {
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return Value.Check(schema, value) ? (value as Static<T>) : undefined;
  } catch {
    return undefined;
  }
}
