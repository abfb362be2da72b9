/** One try of a call: what the transport needs to know of it. */
export type Attempt = {
  readonly operation: string;
  readonly mutating: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string>>;
};
