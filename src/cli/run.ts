/**
 * `rollcall run`: keep this node in step until told to stop.
 */

import { loadConfig } from "../config/load.ts";
import { serveNode } from "../daemon/wire-serve.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";

/** Ends with 0 after SIGTERM or SIGINT. */
export async function run(context: Context, options: CommonOptions): Promise<number> {
  const path = configPath(options);
  await serveNode(
    {
      root: options.root,
      configPath: path,
      tokens: context.tokens,
      load: () => loadConfig(path),
      logFormat: context.logFormat,
      notify: context.notify,
      write: (line) => context.out(line),
      on: (request, handler) => context.onSignal(request === "reload" ? "SIGHUP" : "SIGUSR1", handler),
    },
    context.signal,
  );
  return EXIT.ok;
}
