/** One line of the table at the end of a run. */
export type Fact = {
  readonly name: string;
  readonly value: string;
  /** Undefined: a measurement without a bound. */
  readonly holds?: boolean;
};

/** The facts that a run measured, in the order in which they came. */
export class Facts {
  readonly #facts: Fact[] = [];

  /** A measurement without a bound. */
  note(name: string, value: string): void {
    this.#facts.push({ name, value });
  }

  /** A measurement that decides whether the run passed. */
  check(name: string, value: string, holds: boolean): void {
    this.#facts.push({ name, value, holds });
  }

  add(fact: Fact): void {
    this.#facts.push(fact);
  }

  get failed(): readonly Fact[] {
    return this.#facts.filter(({ holds }) => holds === false);
  }

  /** A table in plain text, a fact a line. */
  table(): string {
    const width = Math.max(0, ...this.#facts.map(({ name }) => name.length));
    const mark = ({ holds }: Fact): string => (holds === undefined ? ' ' : holds ? '✔' : '✖');
    return this.#facts.map((fact) => `${mark(fact)} ${fact.name.padEnd(width)}  ${fact.value}\n`).join('');
  }
}

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
export const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
