/**
 * Every key of rollcall.yaml, with its type, its limits and its default.
 *
 * Strict: a key that is not here is a mistake, because a mistyped limit would be a limit that is not there.
 */

import * as z from "zod";
import { access, sudo } from "./access.ts";
import { CACHES_DIRECTORY, KEYS_DIRECTORY } from "./defaults.ts";
import { attributes, iam } from "./iam.ts";
import { slurm } from "./slurm.ts";
import { absolutePath, duration, integer, octalMode, optionalDuration, SECOND_MS } from "./values.ts";

const names = z
  .strictObject({
    maxLength: integer(8, 64).default(32).describe("longest user or group name"),
    reserved: z.array(z.string()).default([]).describe("names refused beside the built-in ones"),
    localPart: z
      .array(z.string().regex(/^[^@\s]+$/, "must be a mail domain without the @"))
      .default([])
      .describe("mail domains cut off user names: with `example.org`, `ada@example.org` becomes `ada`"),
    normaliseGroups: z.boolean().default(false).describe("turns a group called `ML Team` into `ml-team`"),
  })
  .prefault({})
  .describe("Which names are served, and how they are written");

/** libnss-cache compares ids as signed 32-bit numbers. */
const MAX_ID = 2_147_483_647;

const ids = z
  .strictObject({
    min: integer(500, MAX_ID).default(1000).describe("smallest uid and gid"),
    max: integer(500, MAX_ID)
      .default(MAX_ID)
      .describe("largest uid and gid; libnss-cache compares signed 32-bit numbers"),
  })
  .prefault({})
  .describe("Which uids and gids are served");

const shells = z
  .strictObject({
    default: absolutePath.default("/bin/bash").describe("for users without an allowed one"),
    nologin: absolutePath.default("/usr/sbin/nologin").describe("for users who may not log in"),
    allowed: z.array(absolutePath).default([]).describe("allowed beside those in `/etc/shells`"),
  })
  .prefault({})
  .describe("Login shells");

/** A home in one of these would be root's own: a unit, a cron table, a device. */
const NO_SYSTEM_DIRECTORY =
  /^(?!\/(?:|(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root|run|sbin|sys|tmp|usr)(?:\/.*)?|var(?:\/(?:cache|lib|log|run|spool|tmp)(?:\/.*)?)?)$)/;

const homesPrefix = absolutePath.regex(NO_SYSTEM_DIRECTORY, "must not be a directory of the system");

const homes = z
  .strictObject({
    path: absolutePath
      .regex(/\/%u$/, "must end in /%u, the user name")
      .meta({ examples: ["/mnt/home/%u"] })
      .default("/home/%u")
      .describe("where a home is; `%u` is the user name"),
    under: z
      .array(homesPrefix)
      .min(1)
      .default(["/home"])
      .describe("the only places where a home may be; no directory of the system"),
    create: z
      .boolean()
      .default(true)
      .describe("make homes that are missing, and look at those that are there"),
    mode: octalMode("0700").describe("of a new home; in quotes"),
    skeleton: absolutePath.default("/etc/skel").describe("what a new home starts with"),
  })
  .prefault({})
  .describe("Home directories");

const keys = z
  .strictObject({
    files: z
      .boolean()
      .default(true)
      .describe("a file per user for sshd; with `false` there is none, and sshd asks `rollcall keys USER`"),
    directory: absolutePath
      .default(KEYS_DIRECTORY)
      .describe("one file per user, for AuthorizedKeysFile of sshd_config(5)"),
    minRsaBits: integer(1024, 16_384).default(2048).describe("shortest RSA key"),
    maxPerUser: integer(1, 1000).default(64).describe("most keys a user can have; further ones are left out"),
    allowedOptions: z
      .array(z.string().regex(/^[a-z0-9-]+$/, "must be the name of an option in lower case"))
      .default([])
      .describe("authorized_keys options that a key may carry, by name"),
  })
  .prefault({})
  .describe("SSH keys");

const caches = z
  .strictObject({
    directory: absolutePath.default(CACHES_DIRECTORY).describe("where libnss-cache looks for its files"),
    index: z
      .enum(["auto", "always", "never"])
      .default("auto")
      .describe("indexes beside the files: `always`, `never`, or with `auto` from 1,000 records on"),
  })
  .prefault({})
  .describe("The files for libnss-cache");

const guard = z
  .strictObject({
    maxRemovalPercent: integer(1, 100)
      .default(20)
      .describe("a sync that takes login from more than this share of the users is refused"),
    minRemovals: integer(0, 1_000_000)
      .default(10)
      .describe("up to so many removals the share alone refuses nothing"),
  })
  .prefault({})
  .describe("The fuse: how much a sync may take away");

const schedule = z
  .strictObject({
    every: duration("30s")
      .refine((ms) => ms >= SECOND_MS, "must be at least 1s")
      .describe("how often the daemon syncs, at least 1s"),
    cron: z
      .string()
      .regex(/^(?:\S+ +){4,5}\S+$/, 'must have five fields, or six with seconds first: "*/5 * * * *"')
      .meta({ examples: ["*/5 * * * *"] })
      .optional()
      .describe("when the daemon syncs, in place of `schedule.every`; a field for seconds may come first"),
    splay: duration("5s").describe("up to so much later each time, so that many nodes do not ask at once"),
    fullEvery: duration("15m").describe(
      "a whole sync at least so often, also when the IAM says that nothing is new",
    ),
  })
  .prefault({})
  .describe("When the daemon (`rollcall run`) syncs");

const stale = z
  .strictObject({
    warnAfter: duration("10m").describe(
      "without a believed answer of the IAM for so long, `directory-stale` is shown",
    ),
    lockAfter: optionalDuration.describe(
      "without a believed answer of the IAM for so long, every key is taken away until there is one",
    ),
  })
  .prefault({})
  .describe("What happens while the IAM cannot be believed");

const state = z
  .strictObject({
    directory: absolutePath
      .default("/var/lib/rollcall")
      .describe(
        "the ledger, what the IAM said when it was last believed, and the last report; root's, mode 0700",
      ),
  })
  .prefault({})
  .describe("What this node remembers");

const ledger = z
  .strictObject({
    rememberFor: duration("90d").describe(
      "how long the name and the id of somebody who is gone are kept from others",
    ),
  })
  .prefault({})
  .describe("This node's memory of who is who");

/** The whole file. */
export const ConfigSchema = z.strictObject({
  iam,
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
