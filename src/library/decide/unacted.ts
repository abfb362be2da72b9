import type { DomainLibrary } from '../../api/index.ts';
import type { Note } from '../plan.ts';

/** Fields of the spec that nothing acts on yet. */
export function unactedFields({ spec }: DomainLibrary): string[] {
  return [
    ...(spec.tuning !== undefined && spec.tuning.mode !== undefined && spec.tuning.mode !== 'Off'
      ? ['spec.tuning']
      : []),
  ];
}

export function unactedNotes(library: DomainLibrary): Note[] {
  const fields = unactedFields(library);
  if (fields.length === 0) return [];
  const message = `${fields.join(', ')}: set, and nothing acts on ${fields.length === 1 ? 'it' : 'them'} yet`;
  return [{ type: 'FieldsNotActedOn', status: 'True', reason: 'NotBuilt', message }];
}
