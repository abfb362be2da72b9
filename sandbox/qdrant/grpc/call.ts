import type { Right } from '../routes/router.ts';

/** One call: the decoded message in, a plain message out. */
export type Call = { readonly right: Right; readonly answer: (message: never) => Promise<object> | object };
