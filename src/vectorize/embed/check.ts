/** What is wrong with vectors. The names are codes of `EmbedError`. */
export type Defect = {
  readonly code: 'WrongCount' | 'WrongDimension' | 'NotFinite' | 'AllZero' | 'Constant' | 'NotNormalised';
  /** Index of the vector; undefined when it is about the whole answer. */
  readonly index?: number;
  /** With its figures. */
  readonly detail: string;
};

export type Expected = {
  readonly texts: readonly string[];
  /** When undefined, that of the first vector. */
  readonly dimensions?: number;
  /** `unit`: a length of 1 is a must, as for cosine. */
  readonly norm?: 'unit' | 'any';
};

const NORM = { least: 0.99, most: 1.01 };
/** Fewer different texts may honestly have one vector: a model that ignores case, stems, drops stop words. */
const CONSTANT_TEXTS = 4;

/** All that is wrong with an answer, the whole of it first; empty = nothing. */
export function defectsOf(vectors: readonly Float32Array[], { texts, dimensions, norm = 'any' }: Expected): Defect[] {
  if (vectors.length !== texts.length) {
    return [{ code: 'WrongCount', detail: `${vectors.length} vectors for ${texts.length} texts` }];
  }
  const wanted = dimensions ?? vectors[0]?.length ?? 0;
  const odd = vectors.find(({ length }) => length !== wanted || length === 0);
  if (odd !== undefined) return [{ code: 'WrongDimension', detail: `${odd.length} numbers where ${wanted} are due` }];
  const single = vectors.flatMap((vector, index) => defectOf(vector, index, norm));
  if (single.length === 0 && isConstant(vectors, texts)) {
    return [{ code: 'Constant', detail: `one vector for ${texts.length} texts` }];
  }
  return single;
}

function defectOf(vector: Float32Array, index: number, norm: 'unit' | 'any'): Defect[] {
  let squares = 0;
  // A NaN or an infinity makes the sum one of them; finite float32 squares never overflow a double.
  for (const value of vector) squares += value * value;
  if (!Number.isFinite(squares)) return [{ code: 'NotFinite', index, detail: 'a number of its vector is not finite' }];
  if (squares === 0) return [{ code: 'AllZero', index, detail: 'its vector is all zero' }];
  const length = Math.sqrt(squares);
  if (norm === 'unit' && (length < NORM.least || length > NORM.most)) {
    const detail = `its vector has the length ${length.toFixed(4)}, not 1`;
    return [{ code: 'NotNormalised', index, detail }];
  }
  return [];
}

function isConstant(vectors: readonly Float32Array[], texts: readonly string[]): boolean {
  const [first, ...others] = vectors;
  if (first === undefined || others.length + 1 < CONSTANT_TEXTS) return false;
  if (others.some((vector) => vector.some((value, place) => value !== first[place]))) return false;
  const words = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  return new Set(texts.map(words)).size >= CONSTANT_TEXTS;
}

/** A vector scaled to length 1; one of length 0 stays as it is. */
export function normalise(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 || !Number.isFinite(length) ? vector : vector.map((value) => value / length);
}
