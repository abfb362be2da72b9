import loadHighs from 'highs';
import { type Model, TARGET_PESSIMISM } from '../../src/rebalance/plan/model.ts';

// The package declares its types as those of a CommonJS module.
const loaded = (loadHighs as unknown as typeof loadHighs.default)();

type Solved = { readonly value: number; readonly status: string };

/** A number as CPLEX' LP format reads it. */
const number = (value: number): string => value.toPrecision(15);

/**
 * The least height that the highest relative load can be brought to within the budgets and caps, by HiGHS.
 *
 * @param fractional libraries may be cut: the plain linear programme
 * @param ceiling a library may not be where it exceeds this height all by itself
 */
export async function optimum(
  model: Model,
  { fractional = false, ceiling = Number.POSITIVE_INFINITY, seconds = 20 } = {},
): Promise<Solved> {
  const { items, clusters, dimensions, load, fixed, scale, cap, bytes, home, allowed } = model;
  const pairs = Array.from({ length: items * clusters }, (_, index) => index).filter((index) => {
    if (allowed[index] !== 1) return false;
    const [item, cluster] = [Math.floor(index / clusters), index % clusters];
    return Array.from({ length: dimensions }, (_, r) => r).every((r) => {
      const cell = cluster * dimensions + r;
      return ((fixed[cell] ?? 0) + (load[item * dimensions + r] ?? 0)) * (scale[cell] ?? 0) <= ceiling;
    });
  });
  const x = (index: number): string => `x${index}`;
  const sum = (terms: readonly (readonly [number, number])[]): string =>
    terms
      .filter(([factor]) => factor !== 0)
      .map(([factor, index]) => `${factor < 0 ? '-' : '+'} ${number(Math.abs(factor))} ${x(index)}`)
      .join('\n ');
  const rows: string[] = [];
  for (let item = 0; item < items; item += 1) {
    const own = pairs.filter((index) => Math.floor(index / clusters) === item);
    if (own.length === 0) return { value: Number.POSITIVE_INFINITY, status: 'Infeasible' };
    rows.push(`${own.map((index) => `+ ${x(index)}`).join(' ')} = 1`);
  }
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    const own = pairs.filter((index) => index % clusters === cluster);
    for (let r = 0; r < dimensions; r += 1) {
      const cell = cluster * dimensions + r;
      const loads = own.map((index) => [load[Math.floor(index / clusters) * dimensions + r] ?? 0, index] as const);
      const factor = scale[cell] ?? 0;
      const relative = sum(loads.map(([value, index]) => [value * factor, index]));
      rows.push(`${relative} - height <= ${number(-(fixed[cell] ?? 0) * factor)}`);
      const most = cap[cell] ?? 0;
      if (!Number.isFinite(most)) continue;
      const carried = loads.map(([value, index]) => {
        const stays = home[Math.floor(index / clusters)] === cluster;
        return [(stays ? value : value * TARGET_PESSIMISM) / most, index] as const;
      });
      rows.push(`${sum(carried)} + 0 height <= ${number(1 - (fixed[cell] ?? 0) / most + 1e-9)}`);
    }
  }
  const moved = pairs.filter((index) => index % clusters !== home[Math.floor(index / clusters)]);
  rows.push(`${sum(moved.map((index) => [1, index]))} + 0 height <= ${model.maxMoves}`);
  if (Number.isFinite(model.maxBytes))
    rows.push(
      `${sum(moved.map((index) => [(bytes[Math.floor(index / clusters)] ?? 0) / model.maxBytes, index]))} + 0 height <= 1`,
    );
  const kind = fractional ? '' : `Binaries\n ${pairs.map(x).join('\n ')}\n`;
  const bounds = fractional ? `Bounds\n ${pairs.map((index) => `${x(index)} <= 1`).join('\n ')}\n` : '';
  const text = `Minimize\n obj: height\nSubject To\n ${rows.map((row, index) => `r${index}: ${row}`).join('\n ')}\n${bounds}${kind}End\n`;
  const highs = await loaded;
  const { Status: status, ObjectiveValue: value } = highs.solve(text, { output_flag: false, time_limit: seconds });
  return { value: status === 'Infeasible' ? Number.POSITIVE_INFINITY : value, status };
}

/** The bound of Lenstra, Shmoys and Tardos, by exact linear programmes. */
export async function exactBound(model: Model, reached: number): Promise<number> {
  let [low, high] = [0, reached];
  for (let step = 0; step < 12; step += 1) {
    const middle = (low + high) / 2;
    const { value } = await optimum(model, { fractional: true, ceiling: middle });
    if (value > middle) low = middle;
    else high = middle;
  }
  return low;
}
