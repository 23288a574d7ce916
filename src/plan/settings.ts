/**
 * What planning takes from the configuration.
 */

/** Settings of the caches, the homes and the fuse. */
export interface PlanSettings {
  readonly caches: {
    /** `auto` makes indexes from so many records on that a scan would be felt. */
    readonly index: "auto" | "always" | "never";
  };
  readonly keys: {
    /** Whether sshd reads a file per user; else it asks for what is in the sshkey map. */
    readonly files: boolean;
  };
  readonly access: { readonly onRevoke: "nothing" | "end-sessions" };
  readonly sudo: {
    readonly groups: readonly {
      readonly group: string;
      readonly passwordless: boolean;
      readonly commands: readonly string[];
    }[];
  };
  readonly homes: { readonly create: boolean };
  readonly guard: {
    /** Percent of the users who can log in now. */
    readonly maxRemovalPercent: number;
    /** Fewer removals than this never trip the fuse. */
    readonly minRemovals: number;
  };
}
