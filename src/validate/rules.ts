/**
 * The limits an admin may move. The rules themselves cannot be switched off.
 */

/** What validation takes from the configuration. */
export interface Rules {
  readonly names: {
    readonly maxLength: number;
    /** Names refused on top of the built-in ones. */
    readonly reserved: readonly string[];
    /** Mail domains cut off user names: `alice@example.org` is `alice`. */
    readonly localPart: readonly string[];
    /** `ML Team` becomes `ml-team`. */
    readonly normaliseGroups: boolean;
  };
  readonly ids: { readonly min: number; readonly max: number };
  readonly shells: {
    readonly default: string;
    readonly nologin: string;
    readonly allowed: readonly string[];
  };
  readonly homes: { readonly path: string; readonly under: readonly string[] };
  readonly keys: {
    readonly minRsaBits: number;
    readonly maxPerUser: number;
    readonly allowedOptions: readonly string[];
  };
  readonly access: {
    /** Everybody, or who is in one of these groups or may log in. */
    readonly visible: "all" | readonly string[];
    /** Without either list, everybody who is visible. */
    readonly login: {
      readonly groups: readonly string[] | undefined;
      readonly users: readonly string[] | undefined;
    };
  };
  /** `user:NAME` and `group:NAME`, which a person has decided to take as the IAM has them, whatever this node remembers. */
  readonly accepts: ReadonlySet<string> | "all";
}
