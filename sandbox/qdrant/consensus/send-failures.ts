type Failure = { count: number; latest_error: string; latest_error_timestamp: string };

/** Failed sends by address, as GET /cluster shows them; a success wipes an entry. */
export class SendFailures {
  readonly #byUri = new Map<string, Failure>();

  failed(uri: string, error: unknown): void {
    const count = (this.#byUri.get(uri)?.count ?? 0) + 1;
    const text = error instanceof Error ? error.message : String(error);
    this.#byUri.set(uri, { count, latest_error: text, latest_error_timestamp: new Date().toISOString() });
  }

  succeeded(uri: string): void {
    this.#byUri.delete(uri);
  }

  /** Only of present members. */
  report(members: ReadonlySet<string>): Record<string, Failure> {
    return Object.fromEntries([...this.#byUri].filter(([uri]) => members.has(uri)));
  }
}
