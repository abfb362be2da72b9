import { type TProperties, type TSchema, Type } from 'typebox';
import { verbatim } from '../schema/builders.ts';
import type { CelRule } from '../schema/types.ts';

type OwnedType = 'boolean' | 'string' | 'integer' | 'object';

/**
 * Keys of Qdrant's configuration that the operator sets itself, each with the reason a user reads.
 * They are declared with their types because CEL sees declared fields only.
 */
const OWNED_KEYS: readonly (readonly [key: string, type: OwnedType, instead: string])[] = [
  ['cluster.enabled', 'boolean', 'every managed cluster runs in distributed mode'],
  ['cluster.peer_id', 'integer', 'Qdrant chooses peer ids'],
  ['cluster.p2p', 'object', 'the operator owns the peer port; use spec.tls.p2p for TLS'],
  ['service.host', 'string', 'the operator owns addresses'],
  ['service.http_port', 'integer', 'the operator owns ports'],
  ['service.grpc_port', 'integer', 'the operator owns ports'],
  ['service.api_key', 'string', 'keys live in Secrets only: use spec.apiKey'],
  ['service.alt_api_key', 'string', 'keys live in Secrets only: use spec.keyRotation'],
  ['service.read_only_api_key', 'string', 'keys live in Secrets only: use spec.readOnlyApiKey'],
  ['service.jwt_rbac', 'boolean', 'use spec.jwtRbac'],
  ['service.enable_tls', 'boolean', 'use spec.tls'],
  ['service.verify_https_client_certificate', 'boolean', 'use spec.tls'],
  ['storage.storage_path', 'string', 'the operator owns paths'],
  ['storage.snapshots_path', 'string', 'the operator owns paths'],
  ['tls', 'object', 'use spec.tls'],
];

/** `cluster.p2p` -> `has(self.cluster) && has(self.cluster.p2p)`. */
function present(key: string): string {
  const parts = key.split('.');
  return parts.map((_part, index) => `has(self.${parts.slice(0, index + 1).join('.')})`).join(' && ');
}

const rules: readonly CelRule[] = OWNED_KEYS.map(([key, , instead]) => ({
  rule: `!(${present(key)})`,
  message: `${key} may not be specified: ${instead}`,
  fieldPath: `.${key}`,
  reason: 'FieldValueForbidden',
}));

function declare(type: OwnedType): TSchema {
  switch (type) {
    case 'object':
      return verbatim('Owned by the operator.');
    case 'string':
      return Type.Unsafe<string>({ type: 'string', maxLength: 4096, description: 'Owned by the operator.' });
    case 'integer':
      return Type.Unsafe<number>({
        type: 'integer',
        format: 'int64',
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Owned by the operator.',
      });
    case 'boolean':
      return Type.Unsafe<boolean>({ type: 'boolean', description: 'Owned by the operator.' });
  }
}

function section(name: string): TSchema {
  const keys = OWNED_KEYS.filter(([key]) => key.startsWith(`${name}.`));
  const known: TProperties = Object.fromEntries(keys.map(([key, type]) => [key.slice(name.length + 1), declare(type)]));
  return verbatim(`Section ${name} of Qdrant's configuration.`, known);
}

/** Source: reference/qdrant-api.md section 7, Qdrant `config/config.yaml`. */
export const config = verbatim(
  "Qdrant's own configuration (config.yaml), snake_case, passed through. Keys that the operator owns are refused by name.",
  {
    cluster: section('cluster'),
    service: section('service'),
    storage: section('storage'),
    tls: declare('object'),
  },
  { rules },
);
