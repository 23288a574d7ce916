/**
 * Kinds of values in rollcall.yaml, with what is said of one that is wrong.
 */

import * as z from "zod";
import { DURATION, durationMs } from "../model/duration.ts";
import { ABSOLUTE_PATH } from "./defaults.ts";

/** A second in milliseconds. */
export const SECOND_MS = 1000;

const durationText = z
  .string("must be a number with a unit: 500ms, 30s, 10m, 1h, 90d")
  .regex(DURATION, "must be a number with a unit: 500ms, 30s, 10m, 1h, 90d")
  .meta({ title: "duration", examples: ["500ms", "30s", "10m", "1h", "90d"] });

/** The pattern has let nothing else through. */
const msOf = (value: string) => durationMs(value) ?? 0;

/** A duration with its default, as milliseconds. */
export const duration = (text: string) => durationText.default(text).transform(msOf);

/** A duration that has no default. */
export const optionalDuration = durationText
  .optional()
  .transform((value) => (value === undefined ? undefined : msOf(value)));

/** Permission bits, as text so that YAML does not read them as a decimal number. */
export const octalMode = (text: string) =>
  z
    .string('must be an octal mode in quotes: "0700"')
    .regex(/^0[0-7]{3}$/, 'must be an octal mode in quotes: "0700"')
    .meta({ title: "octal mode", examples: ["0700", "0755"] })
    .default(text)
    .transform((value) => Number.parseInt(value, 8));

/** A path in normal form. */
export const absolutePath = z
  .string()
  .regex(ABSOLUTE_PATH[0].pattern, ABSOLUTE_PATH[0].message)
  .regex(ABSOLUTE_PATH[1].pattern, ABSOLUTE_PATH[1].message)
  .meta({ title: "absolute path" });

/** Where a value lies in a SCIM resource (RFC 7644 §3.10, with slashes). */
export const attributePath = z
  .string()
  .regex(/^[^/\s]+(?:\/[^/\s]+)*$/, "must be attribute names with slashes between: name/formatted")
  .meta({ title: "attribute path" });

/** A whole number between two limits. */
export const integer = (min: number, max: number) => z.int().min(min).max(max);

/** A group, as it is named after names.* was applied. */
export const groupName = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]*$/, "must be the name of a group")
  .meta({ title: "group" });
