/** A share as whole percent, within what the status takes. */
export const percentOf = (share: number): number =>
  Number.isFinite(share) ? Math.min(1_000_000, Math.max(0, Math.round(share * 100))) : 0;

/** The value with so many digits that tell something. */
export const significant = (value: number, digits: number): number =>
  value <= 0 || !Number.isFinite(value) ? 0 : Math.round(Number(value.toPrecision(digits)));

const MOST = 1024;
export const cut = (message: string): string => (message.length <= MOST ? message : `${message.slice(0, MOST - 1)}…`);

export const withoutNumbers = (text: string): string => text.replace(/\d+(?:\.\d+)?/g, '0');
