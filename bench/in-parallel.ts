/** Runs as many operations, so many at a time, and gives their results in order of their index. */
export async function inParallel<T>(count: number, clients: number, operation: (index: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(clients, count) }, async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await operation(index);
    }
  }));
  return results;
}
