import { type CelRule, KINDS, type KindDescriptor, type StructuralSchema } from '../../src/api/index.ts';

/** The API reference: one section per kind, one row per field. */

const HEAD = `# API reference

<!-- Generated from src/api by \`npm run generate\`. Don't edit. -->

Group \`qdrant-librarian.io\`, version \`v1alpha1\`. All kinds are namespaced, in category \`librarian\`, and have a status
subresource. The same text shows in \`kubectl explain\`. \`*\` marks a field that must be there. All references are to
objects in the same namespace.
`;

/** Descriptions are plain text: what Markdown would read as a mark is escaped. */
const prose = (text: string): string => text.replaceAll(/[<*_]/g, String.raw`\$&`);

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function typeOf(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `map of ${typeOf(schema.additionalProperties)}`;
  }
  if (schema.format === 'date-time') return 'time';
  return schema.type ?? 'any';
}

function bounds(schema: StructuralSchema): string[] {
  const { minimum, maximum, minItems, maxItems, maxLength, maxProperties } = schema;
  const isBound = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return [
    ...(schema.enum === undefined ? [] : [schema.enum.map((word) => `\`${String(word)}\``).join(', ')]),
    ...(isBound ? [`${minimum ?? 0} to ${maximum}`] : []),
    ...(minimum !== undefined && !isBound && minimum !== 0 ? [`at least ${minimum}`] : []),
    ...(minItems === undefined ? [] : [`at least ${minItems}`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems}`]),
    ...(maxProperties === undefined ? [] : [`at most ${maxProperties}`]),
    ...(maxLength === undefined || schema.pattern !== undefined ? [] : [`at most ${maxLength} characters`]),
  ];
}

const defaultOf = (schema: StructuralSchema): string =>
  schema.default === undefined || JSON.stringify(schema.default) === '{}'
    ? ''
    : `\`${JSON.stringify(schema.default)}\``;

type Row = { readonly path: string; readonly schema: StructuralSchema; readonly isRequired: boolean };

/** The fields below a schema, each before its own fields; an item is written `[]`, a value of a map `[*]`. */
function rows(schema: StructuralSchema, path: string): Row[] {
  if (schema.items !== undefined) return rows(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') return rows(schema.additionalProperties, `${path}[*]`);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = path === '' ? name : `${path}.${name}`;
    return [
      { path: inner, schema: field, isRequired: schema.required?.includes(name) === true },
      ...rows(field, inner),
    ];
  });
}

function table(schema: StructuralSchema): string {
  const lines = rows(schema, '').map(({ path, schema: field, isRequired }) => {
    const cells = [
      `\`${path}\`${isRequired ? ' *' : ''}`,
      typeOf(field),
      defaultOf(field),
      bounds(field).join('; '),
      prose(field.description ?? ''),
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return ['| field | type | default | values | meaning |', '|---|---|---|---|---|', ...lines].join('\n');
}

type PlacedRule = { readonly path: string; readonly rule: CelRule };

function rules(schema: StructuralSchema, path: string): PlacedRule[] {
  const here = (schema['x-kubernetes-validations'] ?? []).map((rule) => ({ path, rule }));
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    rules(field, path === '' ? name : `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : rules(schema.items, `${path}[]`);
  const values =
    typeof schema.additionalProperties === 'object' ? rules(schema.additionalProperties, `${path}[*]`) : [];
  return [...here, ...inner, ...items, ...values];
}

const ruleLines = (schema: StructuralSchema): string =>
  rules(schema, '')
    .map(({ path, rule }) => `- ${path === '' ? '' : `\`${path}\`: `}${prose(rule.message ?? rule.rule)}`)
    .join('\n');

function section(descriptor: KindDescriptor): string {
  const { kind, plural, shortNames, schema, columns, scale } = descriptor;
  const spec = schema.properties?.['spec'] ?? {};
  const status = schema.properties?.['status'] ?? {};
  const shown = columns.map(({ name, priority }) => (priority === 1 ? `${name} (wide)` : name)).join(', ');
  return [
    `## ${kind}`,
    schema.description ?? '',
    `\`kubectl get ${plural}\`, short \`${shortNames.join('`, `')}\`${scale === undefined ? '' : '; `kubectl scale` works'}. Columns: ${shown}.`,
    `### ${kind} spec`,
    table(spec),
    `### ${kind} rules`,
    ruleLines(schema),
    `### ${kind} status`,
    table(status),
  ].join('\n\n');
}

export const apiReference = (): string => `${[HEAD.trimEnd(), ...KINDS.map(section)].join('\n\n')}\n`;
