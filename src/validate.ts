import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GROUP, isRecord, ManifestError, type ManifestObject, readManifest, validate } from './api/index.ts';

export type Source = { readonly file: string; readonly text: string };

/** One thing that is wrong, and where. */
export type Problem = {
  readonly file: string;
  /** From 1; 0 where it is about the file itself. */
  readonly line: number;
  readonly kind: string;
  readonly name: string;
  readonly field: string;
  readonly value?: unknown;
  readonly rule: string;
};

export type Report = {
  readonly files: number;
  /** Objects that were checked. */
  readonly objects: number;
  /** Objects of other groups, which were not. */
  readonly skipped: number;
  readonly problems: readonly Problem[];
};

type Named = ManifestObject & { readonly file: string; readonly kind: string; readonly name: string };

const MANIFEST = /\.(ya?ml|json)$/;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function named(file: string, object: ManifestObject): Named {
  const { value } = object;
  const metadata = isRecord(value) ? value['metadata'] : undefined;
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  const kind = isRecord(value) ? value['kind'] : undefined;
  return { ...object, file, kind: textOf(kind), name: textOf(name) };
}

const problem = (object: Named, about: { field: string; value?: unknown; rule: string }): Problem => ({
  file: object.file,
  line: object.lineOf(about.field),
  kind: object.kind,
  name: object.name,
  ...about,
});

function identity({ value, kind, name }: Named): string {
  const metadata = isRecord(value) && isRecord(value['metadata']) ? value['metadata'] : {};
  return `${kind} ${textOf(metadata['namespace'])}/${name}`;
}

/** Two objects of one kind, namespace and name: the later one would silently replace the other. */
function repeated(objects: readonly Named[]): Problem[] {
  const first = new Map<string, Named>();
  return objects.flatMap((object) => {
    const key = identity(object);
    const other = first.get(key);
    if (object.name === '' || other === undefined) {
      first.set(key, object);
      return [];
    }
    const rule = `must be unique: ${other.file}:${other.lineOf('metadata.name')} bears the same name`;
    return [problem(object, { field: 'metadata.name', value: object.name, rule })];
  });
}

type Place = 'ours' | 'foreign' | 'nothing';

function placeOf({ value }: Named): Place {
  if (!isRecord(value) || typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string')
    return 'nothing';
  return value['apiVersion'] === GROUP || value['apiVersion'].startsWith(`${GROUP}/`) ? 'ours' : 'foreign';
}

function check(object: Named): Problem[] {
  if (placeOf(object) === 'nothing') {
    return [problem(object, { field: 'apiVersion', rule: 'apiVersion and kind must be set: not a Kubernetes object' })];
  }
  return validate(object.value).map(({ field, value, rule }) =>
    problem(object, { field, rule, ...(value === undefined ? {} : { value }) }),
  );
}

function read({ file, text: source }: Source): { objects: Named[]; problems: Problem[] } {
  try {
    return { objects: readManifest(source).map((object) => named(file, object)), problems: [] };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const about = { file, line: error.line, kind: '', name: '', field: '', rule: `not YAML: ${error.message}` };
    return { objects: [], problems: [about] };
  }
}

/** Checks manifests by the rules of the API server. */
export function checkManifests(sources: readonly Source[]): Report {
  const parts = sources.map(read);
  const all = parts.flatMap(({ objects }) => objects);
  const checked = all.filter((object) => placeOf(object) !== 'foreign');
  return {
    files: sources.length,
    objects: checked.length,
    skipped: all.length - checked.length,
    problems: [...parts.flatMap(({ problems }) => problems), ...checked.flatMap(check), ...repeated(checked)],
  };
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

function problemLine({ file, line, kind, name, field, value, rule }: Problem): string {
  const object = kind === '' && name === '' ? '' : ` ${kind}/${name}:`;
  const shown = value === undefined ? '' : ` ${JSON.stringify(value)}:`;
  return `${file}:${line}:${object}${field === '' ? '' : ` ${field}:`}${shown} ${rule}`;
}

/** The report for people: one problem a line, like a compiler's. */
export function reportText({ files, objects, skipped, problems }: Report): string {
  const foreign = skipped === 0 ? '' : `, ${count(skipped, 'object')} of other groups skipped`;
  const summary = `${count(objects, 'object')} in ${count(files, 'file')} checked${foreign}: ${
    problems.length === 0 ? 'no problem' : count(problems.length, 'problem')
  }`;
  return `${[...problems.map(problemLine), summary].join('\n')}\n`;
}

/** Files below a path in order; hidden ones and those of other kinds are left out, a file named outright is not. */
async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && MANIFEST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)(\.[^./]|node_modules\/)/.test(file.slice(path.length)))
    .toSorted();
}

async function sourcesOf(path: string, stdin: NodeJS.ReadableStream): Promise<Source[]> {
  if (path === '-') return [{ file: '<stdin>', text: await text(stdin) }];
  const files = await filesIn(path);
  return Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
}

export type ValidateOptions = {
  /** Files, folders, or `-` for standard input. */
  readonly files: readonly string[];
  /** `text` or `json`. */
  readonly output: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: { write(text: string): unknown };
};

/**
 * The `validate` command.
 *
 * @returns its exit code: 0 nothing is wrong, 1 problems were found, 2 it could not be done
 */
export async function runValidate({ files, output, stdin, stdout }: ValidateOptions): Promise<0 | 1 | 2> {
  if (output !== 'text' && output !== 'json') {
    stdout.write(`output must be text or json, not ${output}\n`);
    return 2;
  }
  const sources: Source[] = [];
  for (const path of files) {
    try {
      sources.push(...(await sourcesOf(path, stdin)));
    } catch (error) {
      stdout.write(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    }
  }
  if (sources.length === 0) {
    stdout.write(`no YAML or JSON file in ${files.join(', ')}\n`);
    return 2;
  }
  const report = checkManifests(sources);
  stdout.write(output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  return report.problems.length === 0 ? 0 : 1;
}
