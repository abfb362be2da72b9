import { isObject, type JsonObject, omit } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import {
  type FieldSelector,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../selectors.ts';
import type { Call } from '../state.ts';
import { badRequest, expired, invalidOptions, StatusError } from '../status.ts';
import { groupVersion } from '../types/resource.ts';
import { integer } from './options.ts';

export type Selection = { readonly labels: LabelSelector; readonly fields: FieldSelector };

export function selectionOf(call: Call): Selection {
  return {
    labels: parseLabelSelector(call.query.get('labelSelector') ?? ''),
    fields: parseFieldSelector(call.query.get('fieldSelector') ?? '', call.resource),
  };
}

export const isSelected = (object: ApiObject, { labels, fields }: Selection): boolean =>
  matchesLabels(labels, object.metadata.labels) && matchesFields(fields, object);

export const namespaceOf = (call: Call): string | undefined => (call.namespace === '' ? undefined : call.namespace);

/** All objects that the selectors of a call name, as they are now. */
export function selected(call: Call): ApiObject[] {
  const selection = selectionOf(call);
  const { state, resource } = call;
  return view(call, state.store.list(resource.storedAs, namespaceOf(call)), selection);
}

function view(call: Call, objects: readonly ApiObject[], selection: Selection): ApiObject[] {
  return objects.map(call.resource.fromStored).filter((object) => isSelected(object, selection));
}

export type Page = {
  readonly items: ApiObject[];
  readonly revision: number;
  readonly continue: string;
  readonly remaining?: number;
};

type Position = { readonly revision: number; readonly after: string };

/** One page of a list. All pages of one list show the same moment. */
export function list(call: Call): Page {
  const { state, resource } = call;
  const token = call.query.get('continue') ?? '';
  // A list at version 0 comes from the watch cache of a real server, which knows no pages.
  const cached = token === '' && call.query.get('resourceVersion') === '0';
  const limit = cached ? 0 : (integer(call, 'limit') ?? 0);
  const selection = selectionOf(call);
  const position = token === '' ? startOf(call) : readToken(token);
  const stored =
    position.revision === state.store.revision
      ? state.store.list(resource.storedAs, namespaceOf(call))
      : pastList(call, position.revision, token !== '');
  // How many are left is not told of a selection.
  const isSelection = selection.labels.length > 0 || selection.fields.length > 0;
  const rest = view(call, stored, selection).filter((object) => position.after === '' || key(object) > position.after);
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const last = items.at(-1);
  const remaining = rest.length - items.length;
  const next = remaining > 0 && last !== undefined ? writeToken({ revision: position.revision, after: key(last) }) : '';
  return { items, revision: position.revision, continue: next, ...(isSelection ? {} : { remaining }) };
}

const key = ({ metadata }: ApiObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

/** @throws StatusError 400 */
function versionAsked(call: Call): number | undefined {
  const text = call.query.get('resourceVersion') ?? '';
  if (/^\d*$/.test(text)) return text === '' ? undefined : Number(text);
  throw badRequest(`invalid resource version: ${wrongVersion(text)}`);
}

export const wrongVersion = (text: string): string =>
  `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`;

function startOf(call: Call): Position {
  const { store } = call.state;
  const asked = versionAsked(call) ?? 0;
  if (asked === 0 && call.query.has('resourceVersionMatch') && !call.query.has('resourceVersion')) {
    const message = 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided';
    throw invalidOptions('ListOptions', { field: 'resourceVersionMatch', type: 'FieldValueForbidden', message });
  }
  if (asked > store.revision) {
    throw new StatusError(504, 'Timeout', `Too large resource version: ${asked}, current: ${store.revision}`, {
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    });
  }
  const exact = call.query.get('resourceVersionMatch') === 'Exact';
  return { revision: exact ? asked : store.revision, after: '' };
}

const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

function pastList(call: Call, revision: number, continued: boolean): ApiObject[] {
  const { state, resource } = call;
  if (continued && revision < state.store.compactedRevision) throw expired(CONTINUE_EXPIRED);
  return state.store.listAt(resource.storedAs, revision, namespaceOf(call));
}

const writeToken = (position: Position): string => Buffer.from(JSON.stringify(position)).toString('base64url');

function readToken(token: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (isObject(position) && typeof position['revision'] === 'number' && typeof position['after'] === 'string') {
      return { revision: position['revision'], after: position['after'] };
    }
  } catch {
    // Not JSON: refused below.
  }
  throw badRequest('continue key is not valid');
}

/** Items of a list carry no kind of their own in built-in groups, as a real server leaves it out. */
export function listObject(call: Call, page: Page): JsonObject {
  const { resource } = call;
  const items = resource.custom === undefined ? page.items.map((item) => omit(item, 'apiVersion', 'kind')) : page.items;
  return {
    kind: resource.listKind,
    apiVersion: groupVersion(resource),
    // Lists of custom kinds are no Go struct: nothing is left out.
    metadata: resource.custom === undefined ? listMetadata(page) : { continue: '', ...listMetadata(page) },
    items,
  };
}

export const listMetadata = (page: Page): JsonObject => ({
  resourceVersion: String(page.revision),
  ...(page.continue === '' ? {} : { continue: page.continue }),
  ...(page.continue === '' || page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
});
