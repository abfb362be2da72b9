import { boolYaml11Tag, CORE_SCHEMA, constructFromEvents, mergeTag, parseEvents, YAMLException } from 'js-yaml';
import { ApiError } from '../error.ts';
import { isRecord } from '../validation/json.ts';
import { lineAt, offsetOf, positionsOf } from './positions.ts';

/** One object of a manifest file. */
export type ManifestObject = {
  readonly value: unknown;
  /** Line of a field, from 1; of the nearest thing around it where the field is not written down. */
  readonly lineOf: (field: string) => number;
};

/** As kubectl reads YAML: merge keys, and yes/no/on/off are booleans. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag);

/** Where a text stops being YAML. */
export class ManifestError extends ApiError {
  readonly line: number;

  constructor(message: string, line: number, cause: unknown) {
    super('UnreadableManifest', message, { cause });
    this.line = line;
  }
}

/** A list as `kubectl get -o yaml` writes it holds the objects that count. */
function unfold(object: ManifestObject): ManifestObject[] {
  const { value, lineOf } = object;
  if (!isRecord(value) || !String(value['kind']).endsWith('List') || !Array.isArray(value['items'])) return [object];
  return value['items'].map((item: unknown, index) => ({
    value: item,
    lineOf: (field) => lineOf(`items[${index}].${field}`),
  }));
}

/**
 * The objects of a YAML stream or a JSON text; empty documents are left out, lists are unfolded.
 *
 * @throws ManifestError where the text is neither
 */
export function readManifest(source: string): ManifestObject[] {
  try {
    const events = parseEvents(source, {});
    const positions = positionsOf(source, events);
    const documents = constructFromEvents(events, { source, schema: SCHEMA });
    return documents.flatMap((value, index) => {
      const places = positions[index] ?? { start: 0, fields: new Map() };
      if (value === null || value === undefined) return [];
      return unfold({ value, lineOf: (field) => lineAt(source, offsetOf(places, field)) });
    });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new ManifestError(error.reason, (error.mark?.line ?? 0) + 1, error);
  }
}
