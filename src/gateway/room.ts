import { GatewayError } from './errors.ts';

/** A bound on what is under way; reads have one of their own, so that writes which wait don't take their places. */
export class Room {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @throws GatewayError `TooBusy` */
  enter(): () => void {
    if (this.#taken >= this.#most) throw new GatewayError('TooBusy', `${this.#most} requests`, 1);
    this.#taken += 1;
    let left = false;
    return () => {
      if (!left) this.#taken -= 1;
      left = true;
    };
  }
}
