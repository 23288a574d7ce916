/**
 * Attribute paths that are known for a kind of IAM; anything under `attributes` wins over them.
 *
 * A preset says only what is documented there. Where an attribute is left out, the admin must name it.
 */

/** Paths by field; a field that is missing has no known attribute. */
export interface AttributePreset {
  readonly user: Readonly<
    Partial<Record<"name" | "uid" | "gid" | "gecos" | "home" | "shell" | "keys", string>>
  >;
  readonly group: Readonly<Partial<Record<"name" | "gid", string>>>;
}

const COREWEAVE_USER = "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";

/** By the name an admin writes at `iam.preset`. */
export const PRESETS = {
  /** RFC 7643 §4: the core schema has no POSIX ids, home, shell or SSH keys. */
  scim: {
    user: { name: "userName", gecos: "displayName" },
    group: { name: "displayName" },
  },
  coreweave: {
    user: {
      name: `${COREWEAVE_USER}/posixUsername`,
      gecos: "name/formatted",
      keys: `${COREWEAVE_USER}/sunkSshKeys`,
    },
    group: { name: "displayName" },
  },
} as const satisfies Record<string, AttributePreset>;
