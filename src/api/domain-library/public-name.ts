/** The name under which applications know a library: a Qdrant alias. */
export const publicName = ({
  metadata,
  spec,
}: {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly collection?: string };
}): string => spec.collection ?? metadata.name;
