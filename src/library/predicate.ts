import { type Blocker, type DomainLibrary, disabledPredicates, isDisabled, type QdrantCluster } from '../api/index.ts';
import { isTrue } from '../kube/index.ts';
import { deadPeers, type Look } from './look.ts';

/** Why something may not be done now; `undefined` = nothing against it. */
export type Refusal = string | undefined;
export type Predicate<Subject> = { readonly name: string; readonly refuse: (subject: Subject) => Refusal };

/** The names and reasons of the predicates that refuse, in order; empty = go ahead. */
export function refusals<Subject>(
  predicates: readonly Predicate<Subject>[],
  subject: Subject,
  library: DomainLibrary,
): Blocker[] {
  const disabled = disabledPredicates(library);
  return predicates.flatMap(({ name, refuse }) => {
    if (isDisabled(disabled, name)) return [];
    const reason = refuse(subject);
    return reason === undefined ? [] : [{ name, reason: reason.slice(0, 1024) }];
  });
}

export const everyPeerAnswers: Predicate<{ readonly look: Look }> = {
  // Qdrant places shards on dead peers, too: the collection is then half usable (measured, section 14).
  name: 'every-peer-answers',
  refuse: ({ look }) => {
    const dead = deadPeers(look);
    return dead.length === 0 ? undefined : dead.join('; ');
  },
};

/** Workers read the Secret, and pods go on with the key that they started with. */
export const workersKeyRefused = ({ metadata, status }: QdrantCluster): string | undefined =>
  isTrue(status?.conditions ?? [], 'KeyChanged')
    ? `pods of QdrantCluster ${metadata.name} don't accept the key in its Secret yet`
    : undefined;
