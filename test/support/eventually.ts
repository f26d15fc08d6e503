/** Asks again until `ask` neither throws nor answers false or undefined; then fails with what it last said. */
export async function eventually<T>(ask: () => T | Promise<T>, withinMs = 90_000): Promise<NonNullable<T>> {
  const end = performance.now() + withinMs;
  for (;;) {
    let trouble: unknown = new Error('still not so');
    try {
      const answer = await ask();
      if (answer !== false && answer !== undefined && answer !== null) return answer;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > end) throw trouble;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
