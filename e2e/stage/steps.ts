import { Informer, type KubeClient, type KubeObject, type ResourceType } from '../../src/kube/index.ts';

type Watched<T extends KubeObject> = {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly namespace: string;
  readonly name: string;
  /** The step that the object shows now. */
  readonly stepOf: (object: T) => string | undefined;
};

/**
 * Calls `act` the moment an object shows a step for the first time.
 *
 * @returns what ends it, waits for what was begun, and gives the steps in their order
 */
export function atEachStep<T extends KubeObject>(
  watched: Watched<T>,
  act: (step: string) => Promise<void>,
): () => Promise<string[]> {
  const { client, type, namespace, name, stepOf } = watched;
  const steps: string[] = [];
  const acting: Promise<void>[] = [];
  const stopping = new AbortController();
  const informer = new Informer<T>({ client, type, namespace });
  informer.onChange(({ type: what, object }) => {
    if (what === 'deleted' || object.metadata.name !== name) return;
    const step = stepOf(object);
    if (step === undefined || steps.includes(step)) return;
    steps.push(step);
    acting.push(act(step));
  });
  const running = informer.start(stopping.signal);
  return async () => {
    stopping.abort();
    await running;
    await Promise.all(acting);
    return steps;
  };
}
