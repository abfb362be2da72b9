import { type TSchema, Type } from 'typebox';
import { GROUP, type KindDescriptor, type PrinterColumn, type ScaleSubresource, VERSION } from './object.ts';
import { toStructural } from './schema/builders.ts';
import type { CelRule } from './schema/types.ts';

type KindOptions<Kind extends string> = {
  readonly kind: Kind;
  readonly description: string;
  readonly plural: string;
  readonly shortName: string;
  readonly spec: TSchema;
  readonly status: TSchema;
  /** Rules about the whole object, such as its name. */
  readonly rules: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
  readonly scale?: ScaleSubresource;
};

const READY: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: 'Whether it is as wanted.',
};
const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};

/** The parts of a kind put together; columns begin with Ready and end with Age. */
export function kindDescriptor<const Kind extends string>(options: KindOptions<Kind>): KindDescriptor<Kind> {
  const { kind, plural, shortName, columns, scale } = options;
  const root = Type.Object(
    {
      apiVersion: Type.Optional(Type.String({ description: `${GROUP}/${VERSION}` })),
      kind: Type.Optional(Type.String({ description: kind })),
      // Kubernetes refuses a schema that says more about metadata.
      metadata: Type.Optional(Type.Unsafe({ type: 'object' })),
      spec: options.spec,
      status: Type.Optional(options.status),
    },
    { description: options.description, 'x-kubernetes-validations': options.rules },
  );
  return {
    group: GROUP,
    version: VERSION,
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: [shortName],
    categories: ['librarian'],
    namespaced: true,
    columns: [READY, ...columns, AGE],
    ...(scale === undefined ? {} : { scale }),
    schema: toStructural(root),
  };
}
