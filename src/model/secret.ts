/**
 * Text that must not be printed, logged or serialised by accident.
 */

/** Holds a secret; every way of printing it gives `[secret]`. Only `reveal` gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#text;
  }

  /** Whether two secrets hold the same text. */
  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  /** A text of somebody else's without the secret in it; to be called before the text is cut. */
  hideIn(text: string): string {
    return this.#text === "" ? text : text.replaceAll(this.#text, String(this));
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
