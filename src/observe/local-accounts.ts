/**
 * The accounts of the node itself: passwd(5), group(5) and shells(5) in /etc.
 *
 * Read more leniently than glibc does: a line that glibc might still take reserves its name, its ids and its
 * home. Without these files Rollcall could not tell what is local, so a missing one is a failure.
 */

import { recordLines } from "../formats/lines.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { LocalAccounts } from "../model/observed.ts";
import { ignoreAbsence, readText, underRoot } from "../platform/files.ts";

/** Reads them under `root`. */
export async function observeLocalAccounts(root: string): Promise<LocalAccounts> {
  const users = await readFields(underRoot(root, "/etc/passwd"));
  const groups = await readFields(underRoot(root, "/etc/group"));
  const shells = await readShells(underRoot(root, "/etc/shells"));
  return {
    userNames: new Set(users.map(([name = ""]) => name)),
    uids: idsIn(users, 2),
    nameOfUid: new Map(users.toReversed().map(([name = "", , uid = ""]) => [Number.parseInt(uid, 10), name])),
    groupNames: new Set(groups.map(([name = ""]) => name)),
    gids: new Set([...idsIn(groups, 2), ...idsIn(users, 3)]),
    homes: new Set(users.map((fields) => fields[5] ?? "").filter((home) => /^\/.*[^/]$/.test(home))),
    shells: new Set(shells.split("\n").filter((line) => line.startsWith("/"))),
    shadowGid:
      [
        ...idsIn(
          groups.filter(([name]) => name === "shadow"),
          2,
        ),
      ][0] ?? 0,
  };
}

/** Without the file no shell is listed; one that cannot be read must not cost anybody theirs. */
async function readShells(path: string): Promise<string> {
  try {
    return (await readText(path).catch(ignoreAbsence))?.text ?? "";
  } catch (error) {
    const message = `Reading the shells in ${path} failed: ${messageOf(error)}. Without them it is not known which ones people may have.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}

async function readFields(path: string): Promise<string[][]> {
  try {
    const lines = recordLines(Buffer.from((await readText(path)).text));
    return lines.map((line) => line.split(":").map((field) => field.trim()));
  } catch (error) {
    const message = `Reading the local accounts in ${path} failed: ${messageOf(error)}. Without them it is not known which names and ids are taken.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}

function idsIn(records: readonly (readonly string[])[], position: number): Set<number> {
  return new Set(
    records.map((fields) => Number.parseInt(fields[position] ?? "", 10)).filter((id) => !Number.isNaN(id)),
  );
}
