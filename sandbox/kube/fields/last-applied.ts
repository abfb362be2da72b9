import { asString, at, canonical, isObject, type Json, type JsonObject, omit, put } from '../json.ts';
import type { Schema } from '../schema.ts';
import { compare, fieldsOf } from './collect.ts';
import { difference, emptySet, type FieldSet } from './field-set.ts';
import { typeFaults } from './typed.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Only kubectl itself goes over from its own way of applying to the server's. */
export const KUBECTL = 'kubectl';

const annotationOf = (object: JsonObject | undefined): string =>
  asString(at(object, 'metadata', 'annotations', ANNOTATION));

/**
 * The fields that kubectl applied on its own side and that still are as it left them: it may take them over.
 *
 * Source: apimachinery `managedfields/internal/lastappliedmanager.go`.
 */
export function takenOver(live: JsonObject | undefined, schema: Schema | undefined): FieldSet {
  const config = parsed(annotationOf(live));
  if (config === undefined || typeFaults(config, schema).length > 0) return emptySet();
  const { changed, removed } = compare(config, live, schema);
  return difference(difference(fieldsOf(config, schema), changed), removed);
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the annotation of kubectl's own way in step with what it applies in the server's. Changes `object` in place. */
export function followLastApplied(object: JsonObject, config: JsonObject): void {
  if (annotationOf(object) === '') return;
  const annotations = at(config, 'metadata', 'annotations');
  const metadata = isObject(config['metadata']) ? config['metadata'] : {};
  const rest = isObject(annotations) ? omit(annotations, ANNOTATION) : {};
  const own: { [name: string]: Json | undefined } = omit(metadata, 'annotations');
  if (Object.keys(rest).length > 0) own['annotations'] = rest;
  put(object, ['metadata', 'annotations', ANNOTATION], `${canonical({ ...config, metadata: own })}\n`);
}
