import { accesses } from './contract/accesses.ts';
import type { Target } from './contract/api.ts';
import { applies } from './contract/applies.ts';
import { customs } from './contract/customs.ts';
import { objects } from './contract/objects.ts';
import { patches } from './contract/patches.ts';
import { pods } from './contract/pods.ts';
import { watches } from './contract/watches.ts';

export type { Target } from './contract/api.ts';

/**
 * What the product expects of a Kubernetes API server. Runs against the embedded server and against a real one:
 * a difference is a defect of the embedded one.
 *
 * @param target asked after the `before` hooks of the caller have run
 */
export function contract(target: () => Target): void {
  objects(target);
  watches(target);
  patches(target);
  applies(target);
  customs(target);
  accesses(target);
  pods(target);
}
