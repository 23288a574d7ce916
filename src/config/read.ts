/**
 * Reads rollcall.yaml as far as YAML goes: in, a path; out, its text, and what the text says. Judges no key.
 */

import { dirname } from "node:path";
import { type Document, type LineCounter, parseDocument } from "yaml";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { readText } from "../platform/files.ts";
import { isOpenDirectory } from "../platform/open-directory.ts";
import { isOpenToOthers } from "../platform/privileges.ts";

/** Who can change this file decides who gets in, so it must be as safe as what it controls. */
export async function readConfig(path: string): Promise<string> {
  const { text, mode, uid } = await readText(path).catch((error: unknown) => {
    const message = `Reading the configuration ${path} failed: ${messageOf(error)}${hintFor(messageOf(error))}. Run "rollcall" without arguments to see what a first one looks like.`;
    throw new Failure("config-unreadable", message, { cause: error });
  });
  if (isOpenToOthers({ uid, mode }) || (await isOpenDirectory(dirname(path)))) {
    const message = `The configuration ${path} can be changed by others (uid ${uid}, mode ${mode.toString(8).padStart(4, "0")}). Run: chown root ${path}; chmod go-w ${path} ${dirname(path)}`;
    throw new Failure("config-unreadable", message);
  }
  return text;
}

/** The document in a text, with what is wrong in it; a key that is there twice is wrong only on request. */
export function parseYaml(
  text: string,
  { lineCounter, uniqueKeys = false }: { lineCounter?: LineCounter; uniqueKeys?: boolean },
): Document.Parsed {
  return parseDocument(text, {
    prettyErrors: false,
    uniqueKeys,
    version: "1.2",
    ...(lineCounter !== undefined && { lineCounter }),
  });
}

/** What a document says; an empty one says nothing of any key. */
export function valueOf(document: Document.Parsed): unknown {
  return document.toJS({ maxAliasCount: 50 }) ?? {};
}
