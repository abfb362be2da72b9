/** What a pass has done about discovery; carried out by `act.ts` of this folder. */
export type DiscoveryOrder =
  | { readonly do: 'run'; readonly change: string; readonly attempt: number; readonly vector: string }
  /** Deletes the Job and its configuration; the report stays. */
  | { readonly do: 'putAway' };
