/** The question of a DNS query. `name` has no final dot and is in lower case. */
export type Question = { readonly id: number; readonly name: string; readonly type: number; readonly end: number };

export const TYPE_A = 1;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
const NAME_ERROR = 3;
/** Short, so that a pod's new address is seen at once by clients that cache. */
const TTL_SECONDS = 1;
/** Largest answer over UDP without EDNS. Source: RFC 1035, 2.3.4. */
const MAXIMUM_BYTES = 512;

/** @returns undefined for what is no query with one question. Source: RFC 1035, 4.1 */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES + 5 || message.readUInt16BE(4) !== 1 || (message.readUInt8(2) & 0x80) !== 0) {
    return undefined;
  }
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length) return undefined;
  const name = labels.join('.').toLowerCase();
  return { id: message.readUInt16BE(0), name, type: message.readUInt16BE(at), end: at + 4 };
}

/**
 * The answer to a query: its addresses, none (a name without addresses of that type), or that there is no such name.
 *
 * @param addresses IPv4; undefined = no such name
 */
export function writeAnswer(query: Buffer, question: Question, addresses: readonly string[] | undefined): Buffer {
  const asked = query.subarray(HEADER_BYTES, question.end);
  const room = Math.floor((MAXIMUM_BYTES - HEADER_BYTES - asked.length) / 16);
  const answered = question.type === TYPE_A ? (addresses ?? []).slice(0, room) : [];
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  // Response, authoritative, recursion desired as asked and available.
  header.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100) | (addresses === undefined ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answered.length, 6);
  return Buffer.concat([header, asked, ...answered.map(addressRecord)]);
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  // A pointer to the name in the question.
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  for (const [index, part] of address.split('.').entries()) record.writeUInt8(Number(part), 12 + index);
  return record;
}
