/**
 * What the IAM said last time, kept on disk with its ETags, so that a 304 has an answer.
 *
 * It is a cache: a file that is missing, broken, of another configuration, or in a directory that others can
 * write to, only costs a full pull.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import type { Drafts } from "../model/draft.ts";
import { PROBLEMS, type ProblemCode } from "../model/problem.ts";
import { ensureOwnDirectory, isOwnDirectory, observeFile, writeFile } from "../platform/files.ts";
import { isOpenToOthers } from "../platform/privileges.ts";
import type { SourceSettings } from "./settings.ts";

const FILE_NAME = "iam.json";
const FORMAT = 1;

/** Both lists of an earlier pull, and the ETag of each page by its address. */
export interface Remembered {
  readonly etags: Readonly<Record<string, string>>;
  readonly drafts: Drafts;
}

const Member = z.object({ id: z.string(), kind: z.enum(["user", "group"]).nullable() });
const Saved = z.object({
  format: z.literal(FORMAT),
  settings: z.string(),
  etags: z.record(z.string(), z.string()),
  drafts: z.object({
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
  }),
});

/** What is remembered for these settings; undefined when there is nothing to use. */
export async function recall(settings: SourceSettings): Promise<Remembered | undefined> {
  if (!(await isOwnDirectory(settings.stateDirectory))) {
    return undefined;
  }
  const file = await observeFile(pathOf(settings)).catch(() => undefined);
  if (file === undefined || isOpenToOthers(file)) {
    return undefined;
  }
  const saved = Saved.safeParse(parsedOrNothing(Buffer.from(file.bytes).toString("utf8")));
  if (!saved.success || saved.data.settings !== fingerprintOf(settings)) {
    return undefined;
  }
  const { etags, drafts } = saved.data;
  if (Object.keys(etags).length === 0) {
    return undefined;
  }
  return {
    etags,
    drafts: {
      ...drafts,
      groups: drafts.groups.map((group) => ({
        ...group,
        members: group.members.map(({ id, kind }) => ({ id, kind: kind ?? undefined })),
      })),
    },
  };
}

/** Keeps a pull for the next run. */
export async function remember(settings: SourceSettings, { etags, drafts }: Remembered): Promise<void> {
  await ensureOwnDirectory(settings.stateDirectory, 0o700);
  const saved = { format: FORMAT, settings: fingerprintOf(settings), etags, drafts };
  await writeFile({
    path: pathOf(settings),
    bytes: Buffer.from(JSON.stringify(saved, absentAsNull)),
    mode: 0o600,
    owner: { uid: 0, gid: 0 },
  });
}

function pathOf({ stateDirectory }: SourceSettings): string {
  return `${stateDirectory}/${FILE_NAME}`;
}

/** Drafts depend on the addresses and on the attribute paths; change one of them and they are void. */
function fingerprintOf({ iam, attributes }: SourceSettings): string {
  return createHash("sha256")
    .update(JSON.stringify([iam, attributes]))
    .digest("hex");
}

/** SCIM makes no difference between the two (RFC 7643 §2.5), and JSON has no other way to keep a field. */
function absentAsNull(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
