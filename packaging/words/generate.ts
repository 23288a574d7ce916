/**
 * `npm run words`: writes what is derived from the code: manual pages, schema, completion, and the tables of the README.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { renderBash } from "./bash.ts";
import { renderConfigPage } from "./config-page.ts";
import { renderFish } from "./fish.ts";
import { renderJsonSchema, sections } from "./keys.ts";
import { describeProgram } from "./program.ts";
import { renderProgramPage } from "./program-page.ts";
import { renderTables, withTables } from "./tables.ts";
import { renderZsh } from "./zsh.ts";

const ROOT = new URL("../../", import.meta.url);

/** Every file with what it should be, by its path in this repository. */
export async function derivedFiles(): Promise<Readonly<Record<string, string>>> {
  const program = describeProgram();
  const keys = sections();
  const tables = await renderTables(program, keys);
  return {
    "packaging/words/rollcall.8": renderProgramPage(program),
    "packaging/words/rollcall.yaml.5": renderConfigPage(keys, read("packaging/rollcall.yaml")),
    "packaging/words/rollcall.schema.json": renderJsonSchema(),
    "packaging/words/rollcall.bash": renderBash(program),
    "packaging/words/rollcall.zsh": renderZsh(program),
    "packaging/words/rollcall.fish": renderFish(program),
    "README.md": withTables(read("README.md"), tables),
  };
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

if (import.meta.main) {
  for (const [path, content] of Object.entries(await derivedFiles())) {
    writeFileSync(new URL(path, ROOT), content);
  }
}
