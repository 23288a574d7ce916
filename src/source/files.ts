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
import { draftsOf, idOf } from "./drafts.ts";
import type { Pulled } from "./pull.ts";
import { faultOf, ListResponse } from "./schema.ts";
import type { AttributePaths, FileSettings } from "./settings.ts";
import { newestOf, versionsOf } from "./versions.ts";

/** Reads both files. */
export async function pullFiles(settings: FileSettings, attributes: AttributePaths): Promise<Pulled> {
  const users = await readList(settings.usersFile);
  const groups = await readList(settings.groupsFile);
  const resources = { users: users.resources, groups: groups.resources };
  const newest = newestOf(resources);
  return {
    drafts: draftsOf(resources, attributes),
    versions: versionsOf(resources),
    statistics: {
      requests: 0,
      bytes: users.bytes + groups.bytes,
      statuses: {},
      mayShift: false,
      unchanged: false,
      ...(newest !== undefined && { newest }),
    },
    etags: {},
    marks: undefined,
  };
}

async function readList(
  path: string,
): Promise<{ readonly resources: readonly unknown[]; readonly bytes: number }> {
  const text = await readTrusted(path);
  const json = parseJson(text);
  if (json === undefined) {
    return refuse("iam-invalid", path, "it is no JSON");
  }
  const pages = (Array.isArray(json) ? json : [json]).map((page) => {
    const parsed = ListResponse.safeParse(page);
    return parsed.success
      ? parsed.data
      : refuse("iam-invalid", path, `it is no ListResponse: ${faultOf(parsed.error)}`);
  });
  const resources = pages.flatMap((page) => page.Resources ?? []);
  const totals = new Set(pages.map((page) => page.totalResults));
  const different = new Set(resources.map((resource, position) => idOf(resource) ?? position)).size;
  if (totals.size !== 1 || !totals.has(different)) {
    return refuse(
      "iam-incomplete",
      path,
      `${different} different resources, but totalResults is ${[...totals].join(", ")}`,
    );
  }
  return { resources, bytes: Buffer.byteLength(text) };
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
