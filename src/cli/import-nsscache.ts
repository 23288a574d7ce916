/**
 * `rollcall import-nsscache FILE`: the configuration of nsscache as one of Rollcall; with `--compare`, what a sync would
 * make different from the maps of nsscache.
 */

import { compareWithNsscache } from "../daemon/compare.ts";
import { type Imported, importNsscache, usualFileNames } from "../daemon/import-nsscache.ts";
import { isExplained } from "../model/comparison.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { createFile } from "../platform/new-file.ts";
import { renderComparison } from "../report/render-comparison.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";
import { prepare, surroundingsFor } from "./prepare.ts";

/** Options of this command alone. */
export interface ImportOptions extends CommonOptions {
  readonly output?: string;
  readonly compare?: string;
}

/** Prints the configuration, or writes it where no file is yet; says on standard error what needs a look. */
export async function importFile(
  context: Context,
  options: ImportOptions,
  file: string | undefined,
): Promise<number> {
  const { compare, output } = options;
  if (compare === undefined ? file === undefined : output !== undefined) {
    context.err(
      "rollcall: name the nsscache.conf, or the Helm values that have it; --output goes without --compare.",
    );
    return EXIT.usage;
  }
  const imported = file === undefined ? undefined : await importNsscache(file);
  if (compare !== undefined) {
    return compareMaps(context, options, { imported, directory: compare });
  }
  if (imported !== undefined) {
    await deliver(context, options, imported);
  }
  return EXIT.ok;
}

async function deliver(
  context: Context,
  { json, output }: ImportOptions,
  { yaml, settings, remarks, looks }: Imported,
): Promise<void> {
  if (output !== undefined) {
    await createFile(output, yaml).catch((error: unknown) => {
      const message = `Writing ${output} failed: ${messageOf(error)}${hintFor(messageOf(error))}. A file that is there is never replaced: name another, or move it away.`;
      throw new Failure("import-unwritable", message, { cause: error });
    });
  }
  if (json === true) {
    context.out(toJson({ output: output ?? null, yaml, config: settings, remarks }));
    return;
  }
  looks.forEach((look) => context.err(`rollcall: ${look}`));
  context.out(
    output === undefined
      ? yaml.trimEnd()
      : `${output} is written. Next: "rollcall check --config ${output}", then "rollcall import-nsscache --config ${output} --compare DIR" with the maps of nsscache.`,
  );
}

/** Under the configuration that is given, or the usual one; under the imported one where only that is named. */
async function compareMaps(
  context: Context,
  options: ImportOptions,
  { imported, directory }: { readonly imported: Imported | undefined; readonly directory: string },
): Promise<number> {
  const { settings, around } =
    imported === undefined || options.config !== undefined
      ? await prepare(context, options)
      : { settings: imported.settings, around: surroundingsFor(context, options) };
  const fileNames = imported?.fileNames ?? usualFileNames();
  const comparison = await compareWithNsscache({ settings, around, directory, fileNames }, context.signal);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson({ ok: isExplained(comparison), ...comparison }));
  } else {
    renderComparison(comparison, { all: options.all === true }).forEach((line) => context.out(line));
  }
  context.endAnyway();
  return isExplained(comparison) ? EXIT.ok : EXIT.changes;
}
