import { loadAll } from 'js-yaml';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const golden = Type.Object({
  /** What somebody would ask. */
  query: Type.String({ minLength: 1, maxLength: 4096 }),
  /** Path of the document that must be among the answers. */
  document: Type.String({ minLength: 1, maxLength: 2048 }),
  /** Among how many of the first; default 10. */
  within: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type GoldenQuery = Static<typeof golden>;

const list = Type.Array(golden, { minItems: 1, maxItems: 1000 });
export const DEFAULT_WITHIN = 10;

/**
 * A list of `{query, document, within}`, as JSON or YAML.
 *
 * @throws Error naming the file, the entry and the rule
 */
export function parseGoldenQueries(file: string, text: string): GoldenQuery[] {
  let value: unknown;
  try {
    const documents = loadAll(text);
    value = documents.length === 1 ? documents[0] : documents;
  } catch (error) {
    const [line] = error instanceof Error ? error.message.split('\n') : [''];
    throw new Error(`golden queries ${file}: ${line}`);
  }
  if (Value.Check(list, value)) return value;
  const [error] = Value.Errors(list, value);
  throw new Error(`golden queries ${file}: ${error?.instancePath ?? ''} ${error?.message ?? 'is not valid'}`);
}
