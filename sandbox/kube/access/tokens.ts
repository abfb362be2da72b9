import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { asNumber, asString, asStrings, at, isObject, type Json, type JsonObject } from '../json.ts';
import { groupsOf, serviceAccountOf, type User } from './user.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

type Claims = {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly audiences?: readonly string[];
  /** Milliseconds since the epoch; absent = never. */
  readonly expires?: number;
};

const encode = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Mints and reads bearer tokens: JWTs signed with a key that lives as long as the server. */
export class Tokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }

  mint(claims: Claims): string {
    const account = serviceAccountOf(claims.user);
    const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({
      iss: ISSUER,
      sub: claims.user,
      aud: [...(claims.audiences ?? [ISSUER])],
      iat: Math.floor(this.#now() / 1000),
      ...(claims.expires === undefined ? {} : { exp: Math.floor(claims.expires / 1000) }),
      ...(claims.groups === undefined ? {} : { groups: [...claims.groups] }),
      ...(account === undefined ? {} : accountClaims(account, claims.uid)),
    })}`;
    return `${text}.${this.#sign(text).toString('base64url')}`;
  }

  /** The user of a token; undefined when it is not ours, changed, expired or for another audience. */
  read(token: string): (User & { readonly accountUid?: string }) | undefined {
    const cut = token.lastIndexOf('.');
    const text = token.slice(0, cut);
    const signature = Buffer.from(token.slice(cut + 1), 'base64url');
    const expected = this.#sign(text);
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return undefined;
    const claims: Json = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8'));
    if (!isObject(claims) || !asStrings(claims['aud']).includes(ISSUER)) return undefined;
    const expires = asNumber(claims['exp']);
    if (expires !== undefined && expires * 1000 <= this.#now()) return undefined;
    const name = asString(claims['sub']);
    const groups = isObject(claims) && claims['groups'] !== undefined ? asStrings(claims['groups']) : groupsOf(name);
    const accountUid = asString(at(claims, 'kubernetes.io', 'serviceaccount', 'uid'));
    return { name, groups, ...(accountUid === '' ? {} : { uid: accountUid, accountUid }) };
  }
}

function accountClaims({ namespace, name }: { namespace: string; name: string }, uid: string | undefined): JsonObject {
  return { 'kubernetes.io': { namespace, serviceaccount: { name, ...(uid === undefined ? {} : { uid }) } } };
}
