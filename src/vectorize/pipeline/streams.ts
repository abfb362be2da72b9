/** Lists of at most so many items. */
export async function* grouped<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let group: T[] = [];
  for await (const item of source) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Results in order, with the work on the next `ahead` items under way. What was begun is waited for at the end. */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const queue: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const begun = work(item);
      // It is awaited in its turn, and may fail before that.
      begun.catch(() => {});
      queue.push(begun);
      if (queue.length > ahead) yield* nextOf(queue);
    }
    while (queue.length > 0) yield* nextOf(queue);
  } finally {
    await Promise.allSettled(queue);
  }
}

async function* nextOf<R>(queue: Promise<R>[]): AsyncGenerator<R, void, undefined> {
  const first = queue.shift();
  if (first !== undefined) yield await first;
}
