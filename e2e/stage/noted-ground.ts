import type { ObjectKey } from '../../src/kube/index.ts';
import type { Capabilities, Ground, OutsideEmbedder, OutsideQdrant } from '../ground.ts';
import type { Diary } from './diary.ts';

const FAULTS: ReadonlySet<PropertyKey> = new Set<keyof Capabilities>([
  'kill',
  'pause',
  'resume',
  'loseVolume',
  'strikeQdrant',
  'healQdrant',
  'restartKubelet',
]);
const BOXES_OF_FAULTS: ReadonlySet<PropertyKey> = new Set<keyof Capabilities>(['faults', 'controlPlane']);

/** The same ground; what is done to it is noted. */
export function notedGround(ground: Ground, diary: Diary): Ground {
  return new Proxy(ground, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (FAULTS.has(name) && isFunction(value)) return noted(String(name), value.bind(target), diary);
      if (BOXES_OF_FAULTS.has(name) && isObject(value)) return notedBox(value, diary);
      if (name === 'outsideQdrant') return () => notedServer(target.outsideQdrant(), diary);
      if (name === 'outsideEmbedder') return () => notedEmbedder(target.outsideEmbedder(), diary);
      return value;
    },
  });
}

type AnyFunction = (...args: unknown[]) => unknown;
const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function';
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function noted(name: string, call: AnyFunction, diary: Diary): AnyFunction {
  return (...args) => {
    const text = `${name} ${args.map(argument).join(' ')}`.trim();
    diary.note('fault', text);
    const result = call(...args);
    // Faults that last are given back as what ends them.
    if (!isFunction(result)) return result;
    return () => {
      diary.note('fault', `end of ${text}`);
      return result();
    };
  };
}

function notedBox<T extends object>(box: T, diary: Diary): T {
  return new Proxy(box, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      return isFunction(value) ? noted(String(name), value.bind(target), diary) : value;
    },
  });
}

/** What it is started with holds a key. */
function notedServer(server: OutsideQdrant, diary: Diary): OutsideQdrant {
  return {
    url: server.url,
    start(options) {
      diary.note('step', `Qdrant at ${server.url} starts`);
      return server.start(options);
    },
    stop() {
      diary.note('fault', `Qdrant at ${server.url} stops`);
      return server.stop();
    },
  };
}

/** What it is started with holds a key. */
function notedEmbedder(embedder: OutsideEmbedder, diary: Diary): OutsideEmbedder {
  const fault = (text: string): void => diary.note('fault', `embedder at ${embedder.url}: ${text}`);
  return {
    url: embedder.url,
    start(options) {
      diary.note('step', `embedder at ${embedder.url} starts`);
      return embedder.start(options);
    },
    strike(what, times) {
      fault(`${JSON.stringify(what)}, ${times ?? 1} times`);
      return embedder.strike(what, times);
    },
    heal() {
      fault('heals');
      return embedder.heal();
    },
    served: () => embedder.served(),
    stop() {
      fault('stops');
      return embedder.stop();
    },
  };
}

function argument(value: unknown): string {
  const { namespace, name } = isObject(value) ? (value as Partial<ObjectKey>) : {};
  return namespace !== undefined && name !== undefined ? `${namespace}/${name}` : (JSON.stringify(value) ?? '');
}
