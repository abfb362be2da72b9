import type { JsonObject } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import { listMetadata, listObject, type Page } from '../rest/read.ts';
import type { Call } from '../state.ts';
import { table } from './table.ts';

/** kubectl asks for a Table first and falls back to the object. */
export const wantsTable = (call: Call): boolean => {
  const first = call.accept.split(',')[0] ?? '';
  return first.includes('as=Table') && first.includes('g=meta.k8s.io');
};

/** The first form that the client takes is one of metadata alone. */
const wantsMetadata = (call: Call): boolean => /^[^,]*as=PartialObjectMetadata(List)?[;,]/.test(`${call.accept},`);

const partial = ({ metadata }: ApiObject): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

/** An object in the form that the client asked for. */
export function present(call: Call, object: ApiObject): JsonObject {
  if (wantsMetadata(call)) return partial(object);
  return wantsTable(call) ? table(call, [object], { resourceVersion: object.metadata.resourceVersion }) : object;
}

export function presentList(call: Call, page: Page): JsonObject {
  if (wantsTable(call)) return table(call, page.items, listMetadata(page));
  if (!wantsMetadata(call)) return listObject(call, page);
  const items = page.items.map(partial);
  return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: listMetadata(page), items };
}
