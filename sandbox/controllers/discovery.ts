import { type KubeClient, type KubeObject, type ResourceType, resourceType } from '../../src/kube/index.ts';

type ApiResource = { name: string; kind: string; namespaced: boolean; verbs: string[] };
type ApiResourceList = { groupVersion: string; resources: ApiResource[] };
type ApiGroupList = { groups: { preferredVersion: { groupVersion: string } }[] };

/** One kind under two groups would be met twice: events are left out, and nothing owns them. */
const LEFT_OUT = new Set(['events']);

async function read<T>(client: KubeClient, path: string): Promise<T | undefined> {
  const { status, text } = await client.raw('GET', path);
  return status === 200 ? (JSON.parse(text) as T) : undefined;
}

function typesOf(list: ApiResourceList): ResourceType[] {
  const [first = '', second] = list.groupVersion.split('/');
  const [group, version] = second === undefined ? ['', first] : [first, second];
  return list.resources
    .filter(({ name, verbs }) => !name.includes('/') && !LEFT_OUT.has(name) && verbs.includes('delete'))
    .filter(({ verbs }) => verbs.includes('list') && verbs.includes('watch'))
    .map(({ name, kind, namespaced }) => resourceType<KubeObject>({ group, version, kind, plural: name, namespaced }));
}

/**
 * Every kind the server has whose objects can be watched and deleted, in its preferred version.
 * A group whose server doesn't answer is left out.
 */
export async function discover(client: KubeClient): Promise<ResourceType[]> {
  const groups = await read<ApiGroupList>(client, '/apis');
  const paths = (groups?.groups ?? []).map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`);
  const lists = await Promise.all(['/api/v1', ...paths].map((path) => read<ApiResourceList>(client, path)));
  return lists.flatMap((list) => (list === undefined ? [] : typesOf(list)));
}
