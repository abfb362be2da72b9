/** What a manifest tells of a package. Source: npm's documentation of `package.json` and `package-lock.json`. */
export type Package = {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly licence?: string;
  readonly keywords: readonly string[];
  readonly homepage?: string;
  readonly dependencies: readonly Dependency[];
};
export type Dependency = { readonly name: string; readonly range: string; readonly kind: DependencyKind };

const KINDS = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'] as const;
type DependencyKind = (typeof KINDS)[number];
const TITLES: Readonly<Record<DependencyKind, string>> = {
  dependencies: 'Dependencies',
  peerDependencies: 'Peer dependencies',
  optionalDependencies: 'Optional dependencies',
  devDependencies: 'Development dependencies',
};

const MOST = 2000;
const MAX_CHARACTERS = 4000;
const FOLDER = 'node_modules/';

/** @returns undefined for a manifest without a name or version: it marks a folder, and is no package */
export function packageOf(json: unknown, nameGiven?: string): Package | undefined {
  if (!isRecord(json)) return undefined;
  const name = textOf(json['name']) ?? nameGiven;
  const version = textOf(json['version']);
  if (name === undefined || version === undefined) return undefined;
  const description = textOf(json['description']);
  const licence = licenceOf(json['license'] ?? json['licenses']);
  const homepage = textOf(json['homepage']);
  return {
    name,
    version,
    keywords: (Array.isArray(json['keywords']) ? json['keywords'] : []).flatMap((word) => textOf(word) ?? []),
    dependencies: KINDS.flatMap((kind) => dependenciesOf(json[kind], kind)).slice(0, MOST),
    ...(description === undefined ? {} : { description }),
    ...(licence === undefined ? {} : { licence }),
    ...(homepage === undefined ? {} : { homepage }),
  };
}

/** Of a lock file of version 2 or 3: each package that is installed, but for links to folders of the project itself. */
export function packagesOfLock(json: unknown): Package[] {
  const packages = isRecord(json) ? json['packages'] : undefined;
  if (!isRecord(packages)) return [];
  return Object.entries(packages).flatMap(([path, value]) => {
    const at = path.lastIndexOf(FOLDER);
    if (at === -1 || (isRecord(value) && value['link'] === true)) return [];
    return packageOf(value, path.slice(at + FOLDER.length)) ?? [];
  });
}

/** Markdown, to be cut like any other. */
export function packageText(found: Package): string {
  const { name, version, description, licence, keywords, homepage, dependencies } = found;
  const lines = KINDS.flatMap((kind) => {
    const some = dependencies.filter((dependency) => dependency.kind === kind);
    if (some.length === 0) return [];
    return [`${TITLES[kind]}: ${some.map((one) => `${one.name} ${one.range}`.trim()).join(', ')}.`];
  });
  return [
    `# ${name} ${version}`,
    description ?? '',
    licence === undefined ? '' : `Licence: ${licence}.`,
    keywords.length === 0 ? '' : `Keywords: ${keywords.join(', ')}.`,
    homepage === undefined ? '' : `Homepage: ${homepage}`,
    ...lines,
  ]
    .filter((line) => line !== '')
    .join('\n\n');
}

function dependenciesOf(value: unknown, kind: DependencyKind): Dependency[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).map(([name, range]) => ({ name, range: textOf(range) ?? '', kind }));
}

/** A text; or, in old manifests, an object or a list of them. */
function licenceOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.flatMap((one) => licenceOf(one) ?? []).join(' OR ') || undefined;
  return isRecord(value) ? textOf(value['type']) : textOf(value);
}

const textOf = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined;
  return value.slice(0, MAX_CHARACTERS).toWellFormed().replace(/\s+/g, ' ').trim() || undefined;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
