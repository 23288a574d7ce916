/**
 * The checked nouns: text and numbers that have passed validation and may reach a file.
 *
 * In: nothing. Out: types only. A plain string can never become one of these except in `validate/`.
 */

declare const checked: unique symbol;

/** A value that passed the check named by `Label`. Only `validate/` makes one. */
export type Checked<Base, Label extends string> = Base & { readonly [checked]: Label };

/** The `id` of a SCIM resource (RFC 7643 §3.1): unique and stable at the IAM, never shown to glibc. */
export type ScimId = Checked<string, "ScimId">;

/** A login name this node can serve: ASCII, no colon, no slash, not local, not reserved. */
export type UserName = Checked<string, "UserName">;

/** A group name this node can serve, by the same rules. */
export type GroupName = Checked<string, "GroupName">;

/** A user id inside the configured range that no local account has. */
export type Uid = Checked<number, "Uid">;

/** A group id inside the configured range that no local group has. */
export type Gid = Checked<number, "Gid">;

/** The comment field of passwd(5): one line, no colon, at most 256 bytes of UTF-8. */
export type Gecos = Checked<string, "Gecos">;

/** An absolute path in normal form, below one of the configured prefixes. */
export type HomePath = Checked<string, "HomePath">;

/** An absolute path of a login shell that this node allows. */
export type ShellPath = Checked<string, "ShellPath">;

/** One authorized_keys(5) line whose key blob was decoded and checked, without a line break. */
export type AuthorizedKey = Checked<string, "AuthorizedKey">;
