/** Who wants to hear of something: each is told at once, in order; one that throws costs the others nothing. */
export interface Listeners<Fact> {
  /** Returns the unsubscribe function. */
  add(listener: (fact: Fact) => void): () => void;
  tell(fact: Fact): void;
}

export function createListeners<Fact>(onError: (error: unknown) => void): Listeners<Fact> {
  const all = new Set<(fact: Fact) => void>();
  return {
    add(listener) {
      all.add(listener);
      return () => void all.delete(listener);
    },
    tell(fact) {
      for (const listener of [...all]) {
        try {
          listener(fact);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
