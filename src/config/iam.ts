/**
 * The sections `iam` and `attributes` of rollcall.yaml: where people come from, and what is read of them.
 */

import * as z from "zod";
import { absolutePath, attributePath, duration, integer } from "./values.ts";

const list = (path: string) =>
  z
    .strictObject({
      path: z.string().min(1).default(path).describe("endpoint below the base address"),
      query: z
        .string()
        .meta({ examples: ["groups=slurm-users", 'filter=displayName eq "slurm-users"'] })
        .default("")
        .describe("query parameters, as the server takes them; encoded once for you"),
    })
    .prefault({})
    .describe(`The list of ${path}`);

/** The identity provider. */
export const iam = z
  .strictObject({
    source: z.enum(["scim", "file"]).default("scim").describe("`scim` over HTTP, or `file` from disk"),
    url: z
      .url({ protocol: /^https?$/, error: "must be an http or https address" })
      .meta({ pattern: "^[Hh][Tt][Tt][Pp][Ss]?://", examples: ["https://iam.example.org/scim/v2"] })
      .optional()
      .describe("base address of the SCIM service; https, or http to loopback; needed for `scim`"),
    tokenFile: absolutePath
      .meta({ examples: ["/etc/rollcall/token"] })
      .optional()
      .describe(
        "file with the bearer token: root's, not readable by others (a group may read it, as in Kubernetes); without it the systemd credential `iam-token`, else `$ROLLCALL_IAM_TOKEN` or `$NSSCACHE_SCIM_AUTH_TOKEN`",
      ),
    preset: z
      .enum(["scim", "coreweave"])
      .default("scim")
      .describe("known attribute paths: `scim` (the core schema) or `coreweave`"),
    users: list("Users"),
    groups: list("Groups"),
    paging: z
      .enum(["auto", "index", "cursor"])
      .default("auto")
      .describe("`index`, `cursor` (RFC 9865), or what the server says it prefers"),
    probe: z
      .enum(["auto", "etag", "off"])
      .default("auto")
      .describe(
        "how it is found out that nothing is new: by ETags and, where there are none, by totals and `meta.lastModified` (`auto`), by ETags alone (`etag`), or not at all, so that everything is fetched each time (`off`)",
      ),
    pageSize: integer(1, 10_000).default(200).describe("resources asked for at a time"),
    parallel: integer(1, 64).default(4).describe("requests in flight"),
    timeout: duration("30s").describe("for one request, from the first byte to the last"),
    retries: integer(0, 10).default(3).describe("further tries of a request that may succeed later"),
    retryDelay: duration("500ms").describe(
      "pause before the first retry, doubled each time, with jitter; Retry-After wins",
    ),
    maxPageBytes: integer(1024, 1024 ** 3)
      .default(32 * 1024 ** 2)
      .describe("largest answer read, in bytes, unpacked"),
    allowHttp: z.boolean().default(false).describe("lets the token cross the network in the clear"),
    caFile: absolutePath
      .optional()
      .describe("PEM file of the authority that signed the server's certificate, in place of the usual ones"),
    clientCertFile: absolutePath.optional().describe("PEM file of a client certificate"),
    clientKeyFile: absolutePath.optional().describe("PEM file of its key"),
    usersFile: absolutePath.optional().describe("the ListResponse of Users on disk; needed for `file`"),
    groupsFile: absolutePath.optional().describe("the ListResponse of Groups on disk; needed for `file`"),
  })
  .prefault({})
  .describe("The identity provider (IAM)");

const attribute = (words: string, ...examples: readonly string[]) =>
  attributePath
    .meta(examples.length === 0 ? {} : { examples: [...examples] })
    .optional()
    .describe(words);

const URN = "urn:ietf:params:scim:schemas:extension:posix:2.0";

/** Where each field is in a resource; the presets fill in what is left out. */
export const attributes = z
  .strictObject({
    user: z
      .strictObject({
        name: attribute("the user name; without it the preset's, `userName` for `scim`", "userName"),
        uid: attribute("the uid; must be named", `${URN}:User/uidNumber`),
        gid: attribute("the gid of the primary group; must be named", `${URN}:User/gidNumber`),
        gecos: attribute(
          "the full name; without it the preset's, `displayName` for `scim`",
          "name/formatted",
        ),
        home: attribute("the home directory; without it `homes.path` is used", `${URN}:User/homeDirectory`),
        shell: attribute("the login shell; without it `shells.default` is used", `${URN}:User/loginShell`),
        keys: attribute(
          "the SSH keys; without it the preset's, and `scim` has none: then nobody has a key",
          `${URN}:User/sshKeys`,
        ),
      })
      .prefault({})
      .describe("Of a User resource"),
    group: z
      .strictObject({
        name: attribute("the group name; without it the preset's, `displayName`", "displayName"),
        gid: attribute("the gid; must be named", `${URN}:Group/gidNumber`),
      })
      .prefault({})
      .describe("Of a Group resource"),
  })
  .prefault({})
  .describe(
    "Where values are in the IAM's resources: attribute names with slashes between them; an extension is one name, its URN",
  );
