import type { Access } from '../access/rbac.ts';
import type { User } from '../access/user.ts';
import { asObject, asString, asStrings, at, isObject, type JsonObject } from '../json.ts';
import { wireTime } from '../objects.ts';
import type { State } from '../state.ts';
import { invalid, type StatusError } from '../status.ts';

type Review = (state: State, user: User, body: JsonObject) => JsonObject;

function accessOf(spec: JsonObject): Access {
  const resource = spec['resourceAttributes'];
  if (!isObject(resource)) {
    const path = asObject(spec['nonResourceAttributes']);
    return { kind: 'path', verb: asString(path['verb']), path: asString(path['path']) };
  }
  const subresource = asString(resource['subresource']);
  return {
    kind: 'resource',
    verb: asString(resource['verb']),
    group: asString(resource['group']),
    resource: asString(resource['resource']) + (subresource === '' ? '' : `/${subresource}`),
    namespace: asString(resource['namespace']),
    name: asString(resource['name']),
  };
}

const oneOfTwo = (): StatusError =>
  invalid({ group: 'authorization.k8s.io', kind: '' }, '', [
    {
      field: 'spec.resourceAttributes',
      type: 'FieldValueInvalid',
      message: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    },
  ]);

const decide = (state: State, user: User, body: JsonObject): JsonObject => {
  const spec = asObject(body['spec']);
  if (isObject(spec['resourceAttributes']) === isObject(spec['nonResourceAttributes'])) throw oneOfTwo();
  const allowed = state.rbac.allows(user, accessOf(spec));
  return { ...body, metadata: {}, status: { allowed, ...(allowed ? { reason: 'RBAC: allowed' } : {}) } };
};

const selfSubjectAccess: Review = (state, user, body) => decide(state, user, body);

const subjectAccess: Review = (state, _user, body) =>
  decide(state, { name: asString(at(body, 'spec', 'user')), groups: asStrings(at(body, 'spec', 'groups')) }, body);

const selfSubject: Review = (state, user, body) => ({
  ...body,
  metadata: { creationTimestamp: wireTime(state.now()) },
  status: {
    userInfo: { username: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: [...user.groups] },
  },
});

const token: Review = (state, _user, body) => {
  const user = state.tokens.read(asString(at(body, 'spec', 'token')));
  const info = user === undefined ? undefined : { username: user.name, groups: [...user.groups] };
  return {
    ...body,
    metadata: {},
    status: { authenticated: user !== undefined, ...(info === undefined ? {} : { user: info }) },
  };
};

/** Kinds that are asked, not stored, by `group/plural`. All are created, and answered at once. */
export const REVIEWS: { readonly [type: string]: { readonly kind: string; readonly review: Review } } = {
  'authentication.k8s.io/selfsubjectreviews': { kind: 'SelfSubjectReview', review: selfSubject },
  'authentication.k8s.io/tokenreviews': { kind: 'TokenReview', review: token },
  'authorization.k8s.io/selfsubjectaccessreviews': { kind: 'SelfSubjectAccessReview', review: selfSubjectAccess },
  'authorization.k8s.io/subjectaccessreviews': { kind: 'SubjectAccessReview', review: subjectAccess },
};
