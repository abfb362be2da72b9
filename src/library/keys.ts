import type { DomainLibrary } from '../api/index.ts';
import { isControlledBy, type Secret } from '../kube/index.ts';
import type { Look } from './look.ts';

export type KeyedLook = { readonly look: Look; readonly apiKey: string | undefined };

/** The key that peers accepted last: remembered, or else in the binding, which is only written when one was accepted. */
export function earlierKey(
  library: DomainLibrary,
  { accepted, binding }: { readonly accepted: string | undefined; readonly binding: Secret | undefined },
): string | undefined {
  if (accepted !== undefined) return accepted;
  const written = binding !== undefined && isControlledBy(binding, library) ? binding.data?.['api-key'] : undefined;
  return written === undefined ? undefined : Buffer.from(written, 'base64').toString('utf8');
}

/**
 * Looks with the key of the Secret, and with the earlier one where some peer refuses that: pods go on with the key
 * that they started with. While both are in use, the one counts that more peers accept.
 */
export async function lookWithKeys(
  ask: (apiKey: string | undefined) => Promise<Look>,
  { current, earlier }: { readonly current: string | undefined; readonly earlier: string | undefined },
): Promise<KeyedLook> {
  const look = await ask(current);
  const refused = look.silent.some(({ code }) => code === 'Unauthorized' || code === 'Forbidden');
  if (!refused || earlier === undefined || earlier === current) return { look, apiKey: current };
  const second = await ask(earlier);
  return second.peers.length > look.peers.length ? { look: second, apiKey: earlier } : { look, apiKey: current };
}
