/**
 * What the IAM said when it was last believed, kept on disk: the answer to a 304, and what a node is served from
 * while the IAM is away.
 *
 * Two files. `iam.json` has the drafts; `etags.json` is small, names the digest of the first, and can be read
 * alone. Whatever is missing, broken, of another configuration or open to others is as if it were not there.
 */

import { createHash } from "node:crypto";
import * as z from "zod";
import type { Drafts } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import { PROBLEMS, type ProblemCode } from "../model/problem.ts";
import { fileSize } from "../platform/files.ts";
import { readPrivate, writePrivate } from "../platform/private-files.ts";
import type { SourceSettings } from "./settings.ts";

const FORMAT = 2;
const DRAFTS = "iam.json";
const ETAGS = "etags.json";

/** The ETag of each page by its address. */
export type Etags = Readonly<Record<string, string>>;

/** Both lists of an earlier pull, and its ETags. */
export interface Remembered {
  readonly etags: Etags;
  readonly drafts: Drafts;
}

const Member = z.object({ id: z.string(), kind: z.enum(["user", "group"]).nullable() });
const Saved = z.object({
  users: z.array(
    z.object({
      id: z.string(),
      name: z.unknown(),
      uid: z.unknown(),
      gid: z.unknown(),
      gecos: z.unknown(),
      home: z.unknown(),
      shell: z.unknown(),
      keys: z.unknown(),
      active: z.unknown(),
      groups: z.array(z.string()),
    }),
  ),
  groups: z.array(
    z.object({ id: z.string(), name: z.unknown(), gid: z.unknown(), members: z.array(Member) }),
  ),
  problems: z.array(
    z.object({
      code: z.custom<ProblemCode>((code) => typeof code === "string" && Object.hasOwn(PROBLEMS, code)),
      subject: z.object({ kind: z.enum(["user", "group"]), id: z.string() }),
      field: z.string(),
      reason: z.string(),
    }),
  ),
});

const Marks = z.object({
  format: z.literal(FORMAT),
  settings: z.string(),
  /** SHA-256 of iam.json. */
  digest: z.string(),
  etags: z.record(z.string(), z.string()),
});

/** What is remembered for these settings; undefined when there is nothing to use. */
export async function recall(settings: SourceSettings): Promise<Remembered | undefined> {
  const marks = await readMarks(settings);
  const bytes = marks && (await readPrivate(settings.stateDirectory, DRAFTS));
  if (marks === undefined || bytes === undefined || digestOf(bytes) !== marks.digest) {
    return undefined;
  }
  const saved = Saved.safeParse(parseJson(bytes.toString()));
  if (!saved.success) {
    return undefined;
  }
  const groups = saved.data.groups.map((group) => ({
    ...group,
    members: group.members.map(({ id, kind }) => ({ id, kind: kind ?? undefined })),
  }));
  return { etags: marks.etags, drafts: { ...saved.data, groups } };
}

/** The ETags alone, without reading the lists; empty when there are none to use. */
export async function recallEtags(settings: SourceSettings): Promise<Etags> {
  return (await readMarks(settings))?.etags ?? {};
}

/** Whether there is any memory at all, of whatever settings; cheap. */
export async function remembersSomething({ stateDirectory }: SourceSettings): Promise<boolean> {
  return ((await fileSize(`${stateDirectory}/${DRAFTS}`).catch(() => undefined)) ?? 0) > 0;
}

/** Keeps a pull for later runs; lists that are on disk already are not written again. */
export async function remember(settings: SourceSettings, { etags, drafts }: Remembered): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(drafts, absentAsNull));
  const marks = { format: FORMAT, settings: fingerprintOf(settings), digest: digestOf(bytes), etags };
  const before = await readMarks(settings);
  if (JSON.stringify(before) === JSON.stringify(marks)) {
    return;
  }
  if (before?.digest !== marks.digest) {
    await writePrivate(settings.stateDirectory, DRAFTS, bytes);
  }
  await writePrivate(settings.stateDirectory, ETAGS, Buffer.from(JSON.stringify(marks)));
}

async function readMarks(settings: SourceSettings): Promise<z.infer<typeof Marks> | undefined> {
  const bytes = await readPrivate(settings.stateDirectory, ETAGS);
  const marks = bytes && Marks.safeParse(parseJson(bytes.toString())).data;
  return marks?.settings === fingerprintOf(settings) ? marks : undefined;
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Drafts depend on whose lists they are and on the attribute paths; change one of them and they are void. */
function fingerprintOf({ iam, attributes }: SourceSettings): string {
  const whose = iam.source === "scim" ? [iam.url, iam.users, iam.groups] : [iam.usersFile, iam.groupsFile];
  return createHash("sha256")
    .update(JSON.stringify([iam.source, whose, attributes]))
    .digest("hex");
}

/** SCIM makes no difference between the two (RFC 7643 §2.5), and JSON has no other way to keep a field. */
function absentAsNull(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}
