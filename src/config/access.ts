/**
 * The sections `access` and `sudo` of rollcall.yaml: who may do what on this node.
 */

import * as z from "zod";
import { absolutePath, groupName } from "./values.ts";

/** POSIX names, as groups and users have them after names.* was applied. */
const someNames = z.array(
  z
    .string()
    .regex(/^[a-z_][a-z0-9_.-]*$/, "must be the name of a user or group")
    .meta({ title: "name" }),
);

/** The rules of this node. */
export const access = z
  .strictObject({
    visible: z
      .union([z.literal("all"), someNames], "must be all, or a list of groups")
      .default("all")
      .describe("who exists on this node: `all`, or a list of groups; whoever may log in is visible"),
    onRevoke: z
      .enum(["nothing", "end-sessions"])
      .default("nothing")
      .describe("`end-sessions` ends what somebody has running who may not log in any more"),
    login: z
      .strictObject({
        groups: someNames
          .optional()
          .describe(
            "whose members may log in here; without this and `access.login.users`, everybody who is visible",
          ),
        users: someNames
          .optional()
          .describe("users who may log in here; `$ROLLCALL_LOGIN_USERS` adds to them"),
      })
      .prefault({})
      .describe("Who may log in"),
  })
  .prefault({})
  .describe("Who exists on this node, and who may log in");

const sudoRule = z.strictObject({
  group: groupName.describe("a served group, by the name that `getent group` shows"),
  passwordless: z.boolean().default(false).describe("whether its members need no password"),
  commands: z
    .array(z.string().regex(/^[^\n\r#]+$/, "must be one line of sudoers(5), without a comment"))
    .min(1)
    .default(["ALL"])
    .describe("what they may run, as in sudoers(5)"),
});

/** Who may do what as root. */
export const sudo = z
  .strictObject({
    groups: z.array(sudoRule).default([]).describe("whose members may use sudo here"),
    // sudo passes over names with a dot, and over those of packages and editors.
    file: absolutePath
      .regex(/\/[^/.~]+$/, "must have a name without a dot, or sudo does not read it")
      .default("/etc/sudoers.d/rollcall")
      .describe("the drop-in with their rules; a name without a dot"),
  })
  .prefault({})
  .describe("Who may use sudo");
