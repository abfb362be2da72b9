/** What a container tells of itself, for an Event of its pod. */
export type ContainerEvent = { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string };
