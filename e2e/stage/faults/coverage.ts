type Cell = { readonly victim: string; readonly state: string };

/** How often each victim was struck at each state. */
export class Coverage<C extends Cell = Cell> {
  readonly #victims: readonly string[];
  readonly #states: readonly string[];
  readonly #cells: readonly C[];
  readonly #counts = new Map<string, number>();

  /** @param cells those that can be */
  constructor(cells: readonly C[]) {
    this.#cells = cells;
    this.#victims = [...new Set(cells.map(({ victim }) => victim))];
    this.#states = [...new Set(cells.map(({ state }) => state))];
  }

  count({ victim, state }: Cell): void {
    this.#counts.set(key(victim, state), this.#of(victim, state) + 1);
  }

  get empty(): readonly C[] {
    return this.#cells.filter(({ victim, state }) => this.#of(victim, state) === 0);
  }

  /** A line for each state, a column for each victim; `-` where a victim does not exist. */
  table(): string {
    const can = new Set(this.#cells.map(({ victim, state }) => key(victim, state)));
    const cell = (victim: string, state: string): string =>
      can.has(key(victim, state)) ? String(this.#of(victim, state)) : '-';
    const rows = [
      ['', ...this.#victims],
      ...this.#states.map((state) => [state, ...this.#victims.map((victim) => cell(victim, state))]),
    ];
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return rows.map((row) => row.map((text, column) => text.padStart(widths[column] ?? 0)).join('  ')).join('\n');
  }

  #of(victim: string, state: string): number {
    return this.#counts.get(key(victim, state)) ?? 0;
  }
}

const key = (victim: string, state: string): string => `${victim}\n${state}`;
export const words = ({ victim, state }: Cell): string => `${victim} at ${state}`;
