/** An object or a manifest that the API does not know how to read. */
export class ApiError extends Error {
  /** CamelCase, stable; see docs/reasons.md. */
  readonly reason: 'UnknownKind' | 'UnknownVersion' | 'InvalidRule' | 'InvalidQuantity' | 'UnreadableManifest';

  constructor(reason: ApiError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.reason = reason;
  }
}
