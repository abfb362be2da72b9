/** What a pass does besides keeping its records and reporting. */
export type Step =
  /** Write `status.assignment` of a library. */
  | { readonly kind: 'assign'; readonly library: string; readonly cluster: string; readonly digest: string }
  /** Take that back. */
  | { readonly kind: 'withdraw'; readonly library: string }
  /** Remove the annotation that was obeyed, unless it has another value by now. */
  | { readonly kind: 'clearVerb'; readonly value: string };
