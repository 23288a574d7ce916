/**
 * `rollcall verify`: is everything on this node as Rollcall left it?
 */

import { loadConfig } from "../config/load.ts";
import { verifyNode } from "../daemon/published.ts";
import { quoted } from "../model/quoted.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Prints each file that somebody else has touched; exits with 0 when there is none. */
export async function verify(context: Context, options: CommonOptions): Promise<number> {
  const { files, differences } = await verifyNode(await loadConfig(configPath(options)), options.root);
  const isWhole = files !== undefined && differences.length === 0;
  if (options.json === true) {
    context.out(toJson({ ok: isWhole, files: files ?? null, differences }));
  } else if (files === undefined) {
    context.out('Nothing was published on this node yet, or the list of it is lost. Next: "rollcall sync".');
  } else {
    differences.forEach(({ path, how }) => context.out(`  ~ ${quoted(path)}  ${how}`));
    context.out(
      isWhole
        ? `All ${files} files are as Rollcall left them.`
        : `${differences.length} of ${files} files are not as Rollcall left them. "rollcall sync" puts them back; "rollcall plan" shows what that changes.`,
    );
  }
  return isWhole ? EXIT.ok : EXIT.failed;
}
