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

/** An object in the form that the client asked for. */
export const present = (call: Call, object: ApiObject): JsonObject =>
  wantsTable(call) ? table(call, [object], { resourceVersion: object.metadata.resourceVersion }) : object;

export const presentList = (call: Call, page: Page): JsonObject =>
  wantsTable(call) ? table(call, page.items, listMetadata(page)) : listObject(call, page);
