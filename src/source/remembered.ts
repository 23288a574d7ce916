/**
 * What the IAM said when it was last believed, kept on disk: the answer to a 304, and what a node is served from
 * while the IAM is away.
 *
 * Two files. `iam.json` has the drafts; `etags.json` is small, names the digest of the first, and can be read
 * alone. Whatever is missing, broken, of another configuration or open to others is as if it were not there.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import type { Drafts } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import { PROBLEMS, type ProblemCode } from "../model/problem.ts";
import { fileSize } from "../platform/files.ts";
import { readPrivate, writePrivate } from "../platform/private-files.ts";
import type { Marks } from "./latest.ts";
import type { SourceSettings } from "./settings.ts";

const FORMAT = 2;
const DRAFTS = "iam.json";
const ETAGS = "etags.json";

/** The ETag of each page by its address. */
export type Etags = Readonly<Record<string, string>>;

/** What an earlier pull left to ask with, and which lists it had. */
export interface Asking {
  /** Of the drafts, as {@link digestOfDrafts} has it. */
  readonly digest: string;
  readonly etags: Etags;
  readonly marks: Marks | undefined;
}

/** Both lists of an earlier pull, and what it left to ask with. */
export interface Remembered extends Omit<Asking, "digest"> {
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

const ListMark = z.object({
  total: z.int(),
  since: z.string().nullable(),
  count: z.int(),
  digest: z.string(),
});
const SavedAsking = z.object({
  format: z.literal(FORMAT),
  settings: z.string(),
  /** SHA-256 of iam.json. */
  digest: z.string(),
  etags: z.record(z.string(), z.string()),
  marks: z.object({ users: ListMark, groups: ListMark }).optional(),
});

/** What is remembered for these settings; undefined when there is nothing to use. */
export async function recall(settings: SourceSettings): Promise<Remembered | undefined> {
  const asking = await recallAsking(settings);
  const bytes = asking && (await readPrivate(settings.stateDirectory, DRAFTS));
  if (asking === undefined || bytes === undefined || digestOf(bytes) !== asking.digest) {
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
  return { etags: asking.etags, marks: asking.marks, drafts: { ...saved.data, groups } };
}

/** What there is to ask with, without reading the lists; undefined when there is nothing to use. */
export async function recallAsking(settings: SourceSettings): Promise<Asking | undefined> {
  const saved = await readAsking(settings);
  return saved && { digest: saved.digest, etags: saved.etags, marks: saved.marks };
}

/** Whether there is any memory at all, of whatever settings; cheap. */
export async function remembersSomething({ stateDirectory }: SourceSettings): Promise<boolean> {
  return ((await fileSize(`${stateDirectory}/${DRAFTS}`).catch(() => undefined)) ?? 0) > 0;
}

/** Keeps a pull for later runs; lists that are on disk already are not written again. */
export async function remember(
  settings: SourceSettings,
  { etags, marks, drafts }: Remembered,
): Promise<void> {
  const bytes = bytesOf(drafts);
  const now = { format: FORMAT, settings: fingerprintOf(settings), digest: digestOf(bytes), etags, marks };
  const before = await readAsking(settings);
  if (JSON.stringify(before) === JSON.stringify(now)) {
    return;
  }
  if (before?.digest !== now.digest) {
    await writePrivate(settings.stateDirectory, DRAFTS, bytes);
  }
  await writePrivate(settings.stateDirectory, ETAGS, Buffer.from(JSON.stringify(now)));
}

/** The same for two pulls that said the same, in the same order. */
export function digestOfDrafts(drafts: Drafts): string {
  return digestOf(bytesOf(drafts));
}

async function readAsking(settings: SourceSettings): Promise<z.infer<typeof SavedAsking> | undefined> {
  const bytes = await readPrivate(settings.stateDirectory, ETAGS);
  const marks = bytes && SavedAsking.safeParse(parseJson(bytes.toString())).data;
  return marks?.settings === fingerprintOf(settings) ? marks : undefined;
}

function bytesOf(drafts: Drafts): Buffer {
  return Buffer.from(JSON.stringify(drafts, absentAsNull));
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
