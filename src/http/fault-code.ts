type Fault = { readonly code?: unknown; readonly cause?: unknown; readonly errors?: unknown };

const MAX_DEPTH = 5;
const anyCode = (code: string): boolean => code !== '';

/**
 * The first system or library code along the chain of causes: `ECONNREFUSED`, `UND_ERR_SOCKET`, ...; empty when there is
 * none.
 *
 * @param accepts which texts count as a code
 */
export function faultCode(error: unknown, accepts: (code: string) => boolean = anyCode, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return '';
  const { code, cause, errors }: Fault = error;
  if (typeof code === 'string' && accepts(code)) return code;
  const inner: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return faultCode(cause, accepts, depth + 1) || faultCode(inner, accepts, depth + 1);
}
