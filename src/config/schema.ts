/**
 * Every key of rollcall.yaml, with its type, its limits and its default.
 *
 * Strict: a key that is not here is a mistake, because a mistyped limit would be a limit that is not there.
 */

import { z } from "zod";
import { slurm } from "./slurm.ts";
import {
  absolutePath,
  attributePath,
  duration,
  groupName,
  integer,
  octalMode,
  optionalDuration,
  SECOND_MS,
} from "./values.ts";

const list = (path: string) =>
  z.strictObject({ path: z.string().min(1).default(path), query: z.string().default("") }).prefault({});

const iam = z.strictObject({
  source: z.enum(["scim", "file"]).default("scim"),
  url: z.url({ protocol: /^https?$/, error: "must be an http or https address" }).optional(),
  tokenFile: absolutePath.optional(),
  preset: z.enum(["scim", "coreweave"]).default("scim"),
  users: list("Users"),
  groups: list("Groups"),
  paging: z.enum(["auto", "index", "cursor"]).default("auto"),
  pageSize: integer(1, 10_000).default(200),
  parallel: integer(1, 64).default(4),
  timeout: duration("30s"),
  retries: integer(0, 10).default(3),
  retryDelay: duration("500ms"),
  maxPageBytes: integer(1024, 1024 ** 3).default(32 * 1024 ** 2),
  allowHttp: z.boolean().default(false),
  caFile: absolutePath.optional(),
  clientCertFile: absolutePath.optional(),
  clientKeyFile: absolutePath.optional(),
  usersFile: absolutePath.optional(),
  groupsFile: absolutePath.optional(),
});

const attributes = z
  .strictObject({
    user: z
      .strictObject({
        name: attributePath.optional(),
        uid: attributePath.optional(),
        gid: attributePath.optional(),
        gecos: attributePath.optional(),
        home: attributePath.optional(),
        shell: attributePath.optional(),
        keys: attributePath.optional(),
      })
      .prefault({}),
    group: z.strictObject({ name: attributePath.optional(), gid: attributePath.optional() }).prefault({}),
  })
  .prefault({});

const names = z
  .strictObject({
    maxLength: integer(8, 64).default(32),
    reserved: z.array(z.string()).default([]),
    localPart: z.array(z.string().regex(/^[^@\s]+$/, "must be a mail domain without the @")).default([]),
    normaliseGroups: z.boolean().default(false),
  })
  .prefault({});

/** libnss-cache compares ids as signed 32-bit numbers. */
const MAX_ID = 2_147_483_647;

const ids = z
  .strictObject({ min: integer(500, MAX_ID).default(1000), max: integer(500, MAX_ID).default(MAX_ID) })
  .prefault({});

const shells = z
  .strictObject({
    default: absolutePath.default("/bin/bash"),
    nologin: absolutePath.default("/usr/sbin/nologin"),
    allowed: z.array(absolutePath).default([]),
  })
  .prefault({});

/** A home in one of these would be root's own: a unit, a cron table, a device. */
const SYSTEM_DIRECTORIES =
  /^\/(?:|(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root|run|sbin|sys|tmp|usr)(?:\/.*)?|var(?:\/(?:cache|lib|log|run|spool|tmp)(?:\/.*)?)?)$/;

const homesPrefix = absolutePath.refine(
  (path) => !SYSTEM_DIRECTORIES.test(path),
  "must not be a directory of the system",
);

const homes = z
  .strictObject({
    path: absolutePath
      .refine((path) => path.endsWith("/%u"), "must end in /%u, the user name")
      .default("/home/%u"),
    under: z.array(homesPrefix).min(1).default(["/home"]),
    create: z.boolean().default(true),
    mode: octalMode("0700"),
    skeleton: absolutePath.default("/etc/skel"),
  })
  .prefault({});

const keys = z
  .strictObject({
    directory: absolutePath.default("/etc/ssh/authorized_keys.d"),
    minRsaBits: integer(1024, 16_384).default(2048),
    maxPerUser: integer(1, 1000).default(64),
    allowedOptions: z
      .array(z.string().regex(/^[a-z0-9-]+$/, "must be the name of an option in lower case"))
      .default([]),
  })
  .prefault({});

const caches = z
  .strictObject({
    directory: absolutePath.default("/etc"),
    index: z.enum(["auto", "always", "never"]).default("auto"),
  })
  .prefault({});

const guard = z
  .strictObject({
    maxRemovalPercent: integer(1, 100).default(20),
    minRemovals: integer(0, 1_000_000).default(10),
  })
  .prefault({});

const schedule = z
  .strictObject({
    every: duration("30s").refine((ms) => ms >= SECOND_MS, "must be at least 1s"),
    cron: z.string().optional(),
    splay: duration("5s"),
    fullEvery: duration("15m"),
  })
  .prefault({});

const stale = z.strictObject({ warnAfter: duration("10m"), lockAfter: optionalDuration }).prefault({});

const state = z.strictObject({ directory: absolutePath.default("/var/lib/rollcall") }).prefault({});

/** POSIX names, as groups and users have them after names.* was applied. */
const someNames = z.array(z.string().regex(/^[a-z_][a-z0-9_.-]*$/, "must be the name of a user or group"));

const access = z
  .strictObject({
    visible: z.union([z.literal("all"), someNames], "must be all, or a list of groups").default("all"),
    onRevoke: z.enum(["nothing", "end-sessions"]).default("nothing"),
    login: z.strictObject({ groups: someNames.optional(), users: someNames.optional() }).prefault({}),
  })
  .prefault({});

const sudoRule = z.strictObject({
  group: groupName,
  passwordless: z.boolean().default(false),
  commands: z
    .array(z.string().regex(/^[^\n\r#]+$/, "must be one line of sudoers(5), without a comment"))
    .min(1)
    .default(["ALL"]),
});

const sudo = z
  .strictObject({
    groups: z.array(sudoRule).default([]),
    // sudo passes over names with a dot, and over those of packages and editors.
    file: absolutePath
      .regex(/\/[^/.~]+$/, "must have a name without a dot, or sudo does not read it")
      .default("/etc/sudoers.d/rollcall"),
  })
  .prefault({});

const ledger = z.strictObject({ rememberFor: duration("90d") }).prefault({});

/** The whole file. */
export const ConfigSchema = z.strictObject({
  iam: iam.prefault({}),
  attributes,
  names,
  ids,
  shells,
  homes,
  keys,
  caches,
  guard,
  schedule,
  stale,
  state,
  ledger,
  access,
  sudo,
  slurm,
});

/** The file after defaults and units, before presets and checks across keys. */
export type RawConfig = z.infer<typeof ConfigSchema>;
