/**
 * `rollcall verify`: is everything on this node as Rollcall left it?
 */

import { loadConfig } from "../config/load.ts";
import { verifyNode } from "../daemon/published.ts";
import type { Difference } from "../model/published.ts";
import { quoted } from "../model/quoted.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Prints each file that somebody else has touched; exits with 0 when there is none. */
export async function verify(context: Context, options: CommonOptions): Promise<number> {
  const { files, differences, own } = await verifyNode(await loadConfig(configPath(options)), options.root);
  const isWhole = files !== undefined && differences.length === 0;
  if (options.json === true) {
    context.out(toJson({ ok: isWhole, files: files ?? null, differences, own }));
  } else if (files === undefined) {
    context.out('Nothing was published on this node yet, or the list of it is lost. Next: "rollcall sync".');
  } else {
    linesFor(files, differences, own).forEach((line) => context.out(line));
  }
  return isWhole ? EXIT.ok : EXIT.failed;
}

function linesFor(files: number, differences: readonly Difference[], own: readonly string[]): string[] {
  const strangers = differences.filter(({ how }) => how === "not Rollcall's");
  const touched = differences.length - strangers.length;
  return [
    ...differences.map(({ path, how }) => `  ~ ${quoted(path)}  ${how}`),
    ...own.map((path) => `    ${quoted(path)}  of a local account, left alone: whose key is it?`),
    touched === 0
      ? `All ${files} files are as Rollcall left them.`
      : `${touched} of ${files} files are not as Rollcall left them. "rollcall sync" puts them back; "rollcall plan" shows what that changes.`,
    ...(strangers.length === 0
      ? []
      : [
          `${strangers.length} key file(s) are not Rollcall's, and sshd reads them: remove them if nobody needs them.`,
        ]),
  ];
}
