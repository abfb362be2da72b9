import { hash } from 'node:crypto';

/** Namespace of all chunk ids. Changing it, or the name below, gives every chunk a new id. */
const NAMESPACE = Buffer.from('0f2c9c0b6f3e5d0c9b5a7a1d3b8f4e61', 'hex');

export type Address = {
  readonly source: string;
  readonly path: string;
  readonly address: string;
  readonly ordinal: number;
};

/** UUID version 5. Source: RFC 9562, section 5.5. */
export function uuid5(namespace: Uint8Array, name: string): string {
  const digest = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'buffer').subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return [0, 4, 6, 8, 10].map((from, at) => digest.toString('hex', from, [4, 6, 8, 10, 16][at])).join('-');
}

export const chunkId = ({ source, path, address, ordinal }: Address): string =>
  uuid5(NAMESPACE, JSON.stringify([source, path, address, ordinal]));

/** Two texts that differ in line ends, trailing blanks or composition of characters only are one. */
export const normalise = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();

export const contentHash = (text: string): string => hash('sha256', normalise(text), 'hex');
