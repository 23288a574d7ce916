/**
 * What is dear and seldom needed: made when it is asked for first, and kept.
 */

/** Calls `make` once at the most. */
export function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
