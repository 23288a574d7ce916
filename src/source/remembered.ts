/**
 * What the IAM said when it was last believed, kept on disk: the answer to a 304, and what a node is served from
 * while the IAM is away.
 *
 * Two files. `iam.json` has the drafts, and is whole by itself; `etags.json` is small, names the digest of the first, and can be
 * read alone. Whatever is missing, broken, of another configuration or open to others is as if it were not there.
 */

import { createHash } from "node:crypto";
import * as z from "zod";
import { type Drafts, draftsAmong, type PreviousDrafts } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import { fileSize } from "../platform/files.ts";
import { readPrivate, writePrivate } from "../platform/private-files.ts";
import { keepPrivate, readPrivateLines, replacePrivate } from "../platform/private-parts.ts";
import { type KeptDrafts, parseDrafts, renderDrafts } from "./draft-lines.ts";
import {
  isEmpty,
  type Patches,
  type PickedDrafts,
  patchLines,
  pickDrafts,
  type Wanted,
} from "./draft-parts.ts";
import type { Marks } from "./latest.ts";
import type { SourceSettings } from "./settings.ts";

const FORMAT = 3;
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

/** What is left of an earlier pull. */
export interface Remembered extends Omit<Asking, "digest"> {
  /** Of the drafts that the ETags came with; undefined when there is nothing to use. */
  readonly digest: string | undefined;
  /** Both lists as they were. The whole of them is read once at the most, some records whenever they are asked for. */
  readonly drafts: PreviousDrafts;
  /** The whole of them, but only if what there is to ask with came with them. */
  readonly wholeDrafts: () => Promise<Drafts | undefined>;
  /** Some of them, on the same condition. */
  readonly some: (wanted: Wanted) => Promise<PickedDrafts | undefined>;
}

/** Both lists: whole, or what stands in the places of some drafts that are remembered. */
export type Lists = { readonly drafts: Drafts } | { readonly patches: Patches };

/** What is to be kept. */
export interface Memorable extends Omit<Asking, "digest"> {
  readonly lists: Lists;
  /** Called before other lists take the place of those that were remembered. */
  readonly beforeReplacing: () => Promise<unknown>;
}

const ListMark = z.object({
  total: z.int(),
  since: z.string().nullable(),
  count: z.int(),
  digest: z.string(),
});
const SavedAsking = z.object({
  format: z.literal(FORMAT),
  settings: z.string(),
  /** SHA-256 of all lines of iam.json but the last. */
  digest: z.string(),
  etags: z.record(z.string(), z.string()),
  marks: z.object({ users: ListMark, groups: ListMark }).optional(),
});

/** What is remembered for these settings. */
export async function recall(settings: SourceSettings): Promise<Remembered> {
  const asking = await recallAsking(settings);
  let whole: Promise<KeptDrafts | undefined> | undefined;
  const kept = () => {
    whole ??= readDrafts(settings);
    return whole;
  };
  return {
    digest: asking?.digest,
    etags: asking?.etags ?? {},
    marks: asking?.marks,
    async drafts(only) {
      if (only === undefined || whole !== undefined) {
        const drafts = (await kept())?.drafts;
        return drafts && only ? draftsAmong(drafts, only) : drafts;
      }
      const picked = await pick(settings, { ids: only });
      return (
        picked && { users: [...picked.users.values()], groups: [...picked.groups.values()], problems: [] }
      );
    },
    wholeDrafts: async () => ((await kept())?.digest === asking?.digest ? (await kept())?.drafts : undefined),
    async some(wanted) {
      const picked = await pick(settings, wanted);
      return picked?.digest === asking?.digest ? picked : undefined;
    },
  };
}

function readDrafts(settings: SourceSettings): Promise<KeptDrafts | undefined> {
  return parseDrafts(fingerprintOf(settings), linesOf(settings)).catch(() => undefined);
}

function pick(settings: SourceSettings, wanted: Wanted): Promise<PickedDrafts | undefined> {
  return pickDrafts(fingerprintOf(settings), linesOf(settings), wanted).catch(() => undefined);
}

function linesOf({ stateDirectory }: SourceSettings): AsyncIterable<Buffer> {
  return readPrivateLines(stateDirectory, DRAFTS);
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
  { etags, marks, lists, beforeReplacing }: Memorable,
): Promise<void> {
  const before = await readAsking(settings);
  const digest =
    "drafts" in lists
      ? await keepWhole(settings, lists.drafts, beforeReplacing)
      : await keepPatched(settings, lists.patches, { digest: before?.digest, beforeReplacing });
  const now = { format: FORMAT, settings: fingerprintOf(settings), digest, etags, marks };
  if (JSON.stringify(before) !== JSON.stringify(now)) {
    await writePrivate(settings.stateDirectory, ETAGS, Buffer.from(JSON.stringify(now)));
  }
}

async function keepWhole(
  settings: SourceSettings,
  drafts: Drafts,
  beforeReplacing: Memorable["beforeReplacing"],
): Promise<string> {
  const rendered = renderDrafts(fingerprintOf(settings), drafts);
  await keepPrivate(settings.stateDirectory, DRAFTS, { parts: rendered.lines, beforeReplacing });
  return rendered.digest();
}

async function keepPatched(
  settings: SourceSettings,
  patches: Patches,
  { digest, beforeReplacing }: Pick<Memorable, "beforeReplacing"> & Pick<Remembered, "digest">,
): Promise<string> {
  if (digest !== undefined && isEmpty(patches)) {
    return digest;
  }
  await beforeReplacing();
  const { lines, digest: after } = patchLines(fingerprintOf(settings), linesOf(settings), patches);
  await replacePrivate(settings.stateDirectory, DRAFTS, lines);
  return after();
}

/** A digest of drafts: equal for two pulls that said the same, in the same order. */
export function digestOfDrafts(settings: SourceSettings, drafts: Drafts): string {
  const rendered = renderDrafts(fingerprintOf(settings), drafts);
  for (const _ of rendered.lines) {
    // The digest is made with the lines.
  }
  return rendered.digest();
}

async function readAsking(settings: SourceSettings): Promise<z.infer<typeof SavedAsking> | undefined> {
  const bytes = await readPrivate(settings.stateDirectory, ETAGS);
  const marks = bytes && SavedAsking.safeParse(parseJson(bytes.toString())).data;
  return marks?.settings === fingerprintOf(settings) ? marks : undefined;
}

/** Drafts depend on whose lists they are and on the attribute paths; change one of them and they are void. */
function fingerprintOf({ iam, attributes }: SourceSettings): string {
  const whose = iam.source === "scim" ? [iam.url, iam.users, iam.groups] : [iam.usersFile, iam.groupsFile];
  return createHash("sha256")
    .update(JSON.stringify([iam.source, whose, attributes]))
    .digest("hex");
}
