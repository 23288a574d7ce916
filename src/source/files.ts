/**
 * The same ListResponses from disk, for nodes that cannot reach the IAM.
 *
 * Each file holds one ListResponse or a list of them (its pages), and must be as whole as a list from the
 * network. A file that others can write to is refused: it says who may log in.
 */

import { dirname } from "node:path";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { parseJson } from "../model/json.ts";
import { readText } from "../platform/files.ts";
import { isOpenDirectory } from "../platform/open-directory.ts";
import { isOpenToOthers } from "../platform/privileges.ts";
import { groupReader, type ReadRecord, userReader } from "./drafts.ts";
import { type Pulled, pulledFrom } from "./pulled.ts";
import { createRecords, type ListDrafts } from "./records.ts";
import { readListResponse } from "./schema.ts";
import type { AttributePaths, FileSettings } from "./settings.ts";

/** Reads both files. */
export async function pullFiles(settings: FileSettings, attributes: AttributePaths): Promise<Pulled> {
  const users = await readList("user", settings.usersFile, userReader(attributes.user));
  const groups = await readList("group", settings.groupsFile, groupReader(attributes.group));
  const traffic = { requests: 0, bytes: users.bytes + groups.bytes, statuses: {} };
  return {
    ...pulledFrom({ users, groups }, { ...traffic, mayShift: false }),
    etags: {},
    marks: undefined,
  };
}

async function readList<Draft extends { readonly id: string }>(
  kind: "user" | "group",
  path: string,
  read: ReadRecord<Draft>,
): Promise<ListDrafts<Draft> & { readonly bytes: number }> {
  const text = await readTrusted(path);
  const json = parseJson(text);
  if (json === undefined) {
    return refuse("iam-invalid", path, "it is no JSON");
  }
  const pages = (Array.isArray(json) ? json : [json]).map((one) => {
    const page = readListResponse(one);
    return "fault" in page ? refuse("iam-invalid", path, `it is no ListResponse: ${page.fault}`) : page;
  });
  const records = createRecords(read);
  pages
    .flatMap((page) => page.Resources ?? [])
    .forEach((resource, index) => records.add(resource, { index, place: index }));
  const totals = new Set(pages.map((page) => page.totalResults));
  if (totals.size !== 1 || !totals.has(records.size)) {
    return refuse(
      "iam-incomplete",
      path,
      `${records.size} different resources, but totalResults is ${[...totals].join(", ")}`,
    );
  }
  return { ...records.finish(kind), bytes: Buffer.byteLength(text) };
}

async function readTrusted(path: string): Promise<string> {
  const { text, mode, uid } = await readText(path).catch((error: unknown) =>
    refuse("iam-unreadable", path, `${messageOf(error)}${hintFor(messageOf(error))}`),
  );
  if (isOpenToOthers({ uid, mode }) || (await isOpenDirectory(dirname(path)))) {
    return refuse(
      "iam-untrusted",
      path,
      `others can change it; run: chown root ${path}; chmod go-w ${path} ${dirname(path)}`,
    );
  }
  return text;
}

function refuse(
  code: "iam-invalid" | "iam-incomplete" | "iam-unreadable" | "iam-untrusted",
  path: string,
  reason: string,
): never {
  throw new Failure(code, `Reading the list in ${path}: ${reason}. Nothing was changed.`);
}
