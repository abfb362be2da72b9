/** What a pass has done about what a move has left; carried out by `act.ts` of this folder. */
export type ReverseOrder =
  | {
      readonly do: 'run';
      /** Of what was left. */
      readonly generation: number;
      readonly cluster: string;
      readonly collection: string;
      readonly run: string;
      readonly attempt: number;
      /** False: both are only compared. */
      readonly write: boolean;
      readonly removalPercent: number;
    }
  /** Deletes Jobs, ConfigMaps and rights. */
  | { readonly do: 'putAway' };
