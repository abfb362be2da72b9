import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** DER by hand: Node reads certificates but can't make them. Source: RFC 5280, ITU-T X.690. */
function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, ...parts);
const set = (...parts: Buffer[]): Buffer => tlv(0x31, ...parts);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const text = (value: string): Buffer => tlv(0x0c, Buffer.from(value));
const octets = (value: Buffer): Buffer => tlv(0x04, value);
const bits = (value: Buffer, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), value);
const yes = tlv(0x01, Buffer.from([0xff]));
/** DER wants the shortest form: a zero goes before a byte that would read as negative, and only there. */
const positive = (value: Buffer): Buffer => tlv(0x02, ...((value[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), value);
const time = (date: Date): Buffer =>
  tlv(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const name = (commonName: string): Buffer => sequence(set(sequence(oid('550403'), text(commonName))));
const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value));

const address = (host: string): Buffer =>
  isIP(host) === 4 ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));

const DAY = 24 * 3600 * 1000;

export type Certificate = { readonly certPem: string; readonly keyPem: string };

/** A self-signed certificate for the given names and IPv4 addresses, which is its own CA; valid for a year. */
export function selfSigned(hosts: readonly string[], now: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha1').update(spki).digest();
  const subject = name('qdrant-librarian sandbox');
  const extensions = sequence(
    extension('551d13', true, sequence(yes)),
    // digitalSignature, keyCertSign
    extension('551d0f', true, bits(Buffer.from([0x84]), 2)),
    extension('551d25', false, sequence(oid('2b06010505070301'))),
    extension('551d11', false, sequence(...hosts.map(address))),
    extension('551d0e', false, octets(keyId)),
  );
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    positive(Buffer.concat([Buffer.from([1]), randomBytes(11)])),
    ECDSA_SHA256,
    subject,
    sequence(time(new Date(now - DAY)), time(new Date(now + 365 * DAY))),
    subject,
    spki,
    tlv(0xa3, extensions),
  );
  const certificate = sequence(body, ECDSA_SHA256, bits(sign('sha256', body, privateKey)));
  const lines = certificate
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trimEnd();
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
