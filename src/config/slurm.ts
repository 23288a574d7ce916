/**
 * The section `slurm` of rollcall.yaml.
 */

import { z } from "zod";
import { absolutePath, duration, groupName, integer, SECOND_MS } from "./values.ts";

/** Slurm keeps names in lower case, and has an account `root` of its own. */
const slurmName = z
  .string()
  .regex(
    /^(?!root$)[a-z0-9_][a-z0-9_.-]{0,39}$/,
    "must be a name in lower case, as Slurm keeps it, and not root",
  );

const slurmRule = z.strictObject({
  account: z.string().regex(/^[a-z0-9_.$-]{1,40}$/, "must be a name in lower case, as Slurm keeps it"),
  group: groupName.optional(),
  match: z.string().refine(isPattern, "must be a regular expression").optional(),
  everybody: z.boolean().default(false),
  parent: slurmName.or(z.literal("root")).optional(),
  fairshare: integer(0, 2_000_000_000).optional(),
  qos: z.array(slurmName).min(1).optional(),
  defaultQos: slurmName.optional(),
});

/** The whole section. */
export const slurm = z
  .strictObject({
    enabled: z.boolean().default(false),
    cluster: z
      .string()
      .regex(/^[a-z0-9_-]{1,40}$/, "must be the ClusterName of slurm.conf, in lower case")
      .optional(),
    accounts: z.array(slurmRule).default([]),
    adminLevel: z
      .strictObject({
        operator: z.array(groupName).default([]),
        administrator: z.array(groupName).default([]),
      })
      .prefault({}),
    adopt: z.array(slurmName).default([]),
    cancelJobs: z.boolean().default(false),
    tools: absolutePath.optional(),
    conf: absolutePath.optional(),
    timeout: duration("10s").refine((ms) => ms >= SECOND_MS, "must be at least 1s"),
  })
  .prefault({});

function isPattern(text: string): boolean {
  try {
    return new RegExp(`^(?:${text})$`).source !== "";
  } catch {
    return false;
  }
}
