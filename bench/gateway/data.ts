import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { randomNumbers } from '../../src/vectors/index.ts';

/** Points by library, and questions like them. */
export type Data = {
  readonly name: string;
  readonly size: number;
  readonly libraries: readonly (readonly Float32Array[])[];
  readonly questions: readonly Float32Array[];
};

export const LIBRARIES = 8;

/** How many topics there are, and how far points lie from theirs: that is what makes domains clear or not. */
const KINDS = { clear: 0.35, overlapping: 1.4, none: Number.POSITIVE_INFINITY } as const;
export type Kind = keyof typeof KINDS;

/** Each library around four topics of its own; with `none` points lie anywhere, in any library. */
export function synthetic(kind: Kind, points: number, questions: number): Data {
  const size = 64;
  const random = randomNumbers(20_261_121);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const direction = (): number[] => Array.from({ length: size }, () => gauss() / Math.sqrt(size));
  const topics = Array.from({ length: LIBRARIES }, () => Array.from({ length: 4 }, direction));
  const spread = KINDS[kind];
  const point = (library: number): Float32Array => {
    const topic = topics[library]?.[Math.floor(random() * 4)] ?? [];
    const noise = direction();
    return Float32Array.from(noise, (value, at) =>
      spread === Number.POSITIVE_INFINITY ? value : (topic[at] ?? 0) + spread * value,
    );
  };
  return {
    name: `synthetic, ${kind}`,
    size,
    libraries: Array.from({ length: LIBRARIES }, (_, library) => Array.from({ length: points }, () => point(library))),
    questions: Array.from({ length: questions }, (_, at) => point(at % LIBRARIES)),
  };
}

/** A folder with `vectors.f32` and `chunks.jsonl.gz`, a library a domain; every 56th chunk is a question instead. */
export function corpus(folder: string, questions: number): Data {
  const size = 384;
  const lines = gunzipSync(readFileSync(join(folder, 'chunks.jsonl.gz')))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  const domains = lines.map((line) => (JSON.parse(line) as { domain: string }).domain);
  const bytes = readFileSync(join(folder, 'vectors.f32'));
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const names = [...new Set(domains)].toSorted();
  const libraries: Float32Array[][] = names.map(() => []);
  const asked: Float32Array[] = [];
  const every = Math.floor(domains.length / questions);
  for (const [row, domain] of domains.entries()) {
    const vector = all.slice(row * size, (row + 1) * size);
    if (row % every === 0 && asked.length < questions) asked.push(vector);
    else libraries[names.indexOf(domain)]?.push(vector);
  }
  return { name: 'corpus (eight documentation sets)', size, libraries, questions: asked };
}
