import {
  asObject,
  asString,
  at,
  canonical,
  isObject,
  type Json,
  type JsonObject,
} from '../../../../sandbox/kube/json.ts';

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** Digests of what holds a uid. */
const DIGEST = /^[0-9a-f]{32}$/g;
/** Of the range that both servers give Services their addresses from. */
const ADDRESS = /\b10\.0\.\d+\.\d+\b/g;
const AGE = /^\d+s$/;
const RECENT_MILLISECONDS = 3600_000;

/**
 * Makes what two servers answer comparable: identities and versions become numbers in the order in which a story meets
 * them, so that what is equal stays equal, and times near now become words.
 */
export class Normal {
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  readonly #now = Date.now();

  of(value: Json | undefined, key = ''): Json {
    // In the order of whole seconds, which differ from run to run.
    if (key === 'managedFields' && Array.isArray(value)) {
      return value.map((entry) => this.of(entry)).toSorted((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    }
    if (Array.isArray(value)) return value.map((item) => this.of(item, key === 'cells' ? key : ''));
    if (isObject(value)) {
      const ordered = value['kind'] === 'Status' ? inOrder(value) : value;
      const result: JsonObject = {};
      for (const name of Object.keys(ordered).sort()) result[this.text(name)] = this.of(ordered[name], name);
      return result;
    }
    if (typeof value !== 'string') return value ?? null;
    if (key === 'resourceVersion' && value !== '') return numbered(this.#versions, value, 'version');
    if (key === 'continue' && value !== '') return '<token>';
    if (key === 'cells') return AGE.test(value) ? '<age>' : this.text(value);
    return this.text(value);
  }

  text(value: string): string {
    return value
      .replaceAll(/in record \(\d+\)/g, 'in record (…)')
      .replaceAll(DIGEST, '<digest>')
      .replaceAll(ADDRESS, '<address>')
      .replaceAll(UID, (uid) => numbered(this.#uids, uid, 'uid'))
      .replaceAll(TIME, (time, fraction: string | undefined) => {
        const isRecent = Math.abs(Date.parse(time) - this.#now) < RECENT_MILLISECONDS;
        return isRecent ? (fraction === undefined ? '<time>' : '<microtime>') : time;
      });
  }
}

/** Go reads maps in any order: causes stand in none, and the message repeats them. */
function inOrder(status: JsonObject): JsonObject {
  const given = at(status, 'details', 'causes');
  if (!Array.isArray(given)) return status;
  const causes = given.toSorted((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
  const message = asString(status['message']).replace(/ is invalid: \[.*\]$/s, ' is invalid: […]');
  return { ...status, message, details: { ...asObject(status['details']), causes } };
}

function numbered(known: Map<string, string>, value: string, word: string): string {
  const name = known.get(value) ?? `<${word} ${known.size + 1}>`;
  known.set(value, name);
  return name;
}
