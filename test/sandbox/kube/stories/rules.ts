import type { JsonObject } from '../../../../sandbox/kube/json.ts';
import { KINDS } from '../../../../src/api/index.ts';
import { CASES } from '../../../api/cases.ts';
import { json } from './cluster-objects.ts';
import type { Story, Teller } from './story.ts';

const GROUP = 'qdrant-librarian.io/v1alpha1';

async function offer(teller: Teller, rule: string, object: unknown): Promise<void> {
  const body: JsonObject = json(object);
  const plural = KINDS.find(({ kind }) => kind === body['kind'])?.plural ?? '';
  await teller.send(`POST ${rule}`, `${teller.named(GROUP, plural)}?dryRun=All`, { body, look: () => 'taken' });
}

/** The objects of the validators' own tests. */
export const rules: Story = {
  name: 'the rules of the four kinds',
  ours: true,
  tell: async (teller) => {
    for (const { rule, good, bad } of CASES) {
      for (const object of good) await offer(teller, `${rule}: kept`, object);
      for (const [object, field] of bad) await offer(teller, `${rule}: broken at ${field}`, object);
    }
  },
};
