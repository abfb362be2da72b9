import { ISSUER } from '../access/tokens.ts';
import { asNumber, asStrings, at, type JsonObject } from '../json.ts';
import { wireTime } from '../objects.ts';
import type { Call } from '../state.ts';
import { invalid } from '../status.ts';
import { get } from './write.ts';

const SHORTEST_SECONDS = 600;

/** Mints a token for a service account. Source: `pkg/registry/core/serviceaccount/storage/token.go`. */
export function requestToken(call: Call, body: JsonObject): JsonObject {
  const account = get(call);
  const { name, namespace = '', uid } = account.metadata;
  const seconds = asNumber(at(body, 'spec', 'expirationSeconds')) ?? 3600;
  if (seconds < SHORTEST_SECONDS) {
    const message = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, [
      { field: 'spec.expirationSeconds', type: 'FieldValueInvalid', message },
    ]);
  }
  const asked = asStrings(at(body, 'spec', 'audiences'));
  const audiences = asked.length === 0 ? [ISSUER] : asked;
  const expires = call.state.now() + seconds * 1000;
  const token = call.state.tokens.mint({ user: `system:serviceaccount:${namespace}:${name}`, uid, audiences, expires });
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, uid, creationTimestamp: wireTime(call.state.now()) },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: null },
    status: { token, expirationTimestamp: wireTime(expires) },
  };
}
