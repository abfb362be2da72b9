export type BenchmarkOptions = {
  /** Fewer and smaller measurements: all benchmarks together stay under two minutes. */
  readonly short: boolean;
  /** Directory for CPU profiles of the processes that are measured; none are written when not given. */
  readonly profiles?: string;
  readonly signal: AbortSignal;
  /** Tells people what goes on. */
  readonly progress: (text: string) => void;
};

export type Report = {
  /** Plain text: a table of ratios or a curve. */
  readonly text: string;
  /** What did not hold that must hold on every machine. A speed is never among it. */
  readonly broken: readonly string[];
};

/** Something that can be measured. `run` rejects when it could not be, and leaves no process and no file. */
export type Benchmark = {
  readonly name: string;
  /** What it measures, in one line. */
  readonly measures: string;
  /** Which parts stand in for real ones, in one line. */
  readonly embedded: string;
  readonly run: (options: BenchmarkOptions) => Promise<Report>;
};
