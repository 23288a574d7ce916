/**
 * Asks the IAM for what is new, with conditional requests (RFC 7644 §3.14, RFC 9110 §13.1.2).
 *
 * In: the ETag of every page of the last pull. Out: the pages that changed, or which they are. A page that moved, a cursor that expired
 * and a server that answers with anything but 304 all mean that something is new.
 */

import { hash } from "node:crypto";
import { Failure } from "../model/failure.ts";
import type { Body } from "./answers.ts";
import { inLanes, together } from "./lanes.ts";
import type { Etags } from "./remembered.ts";
import type { ScimClient } from "./scim-client.ts";

/** By address. */
export type Pages = ReadonlyMap<string, Body>;

/** Which pages to ask for, and when to give it up. */
export interface Question {
  readonly etags: Etags;
  /** With more pages than this that changed, nobody needs to know which. */
  readonly most: number;
}

/**
 * The names of the pages that changed; none when both lists are the same as last time. Undefined for more than `most`, with
 * nothing to ask with, and where the server declines.
 */
export async function askWhichChanged(
  client: ScimClient,
  question: Question,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const names = new Set<string>();
  const onChanged = (url: string) => names.add(pageName(url, question.etags[url] ?? "")).size;
  return (await askAll(client, { ...question, onChanged }, signal)) ? [...names] : undefined;
}

/** A short name for a page as it was under an ETag: one process tells another of it, and means no other page or ETag. */
export function pageName(url: string, etag: string): string {
  return hash("sha256", JSON.stringify([url, etag])).slice(0, 16);
}

/** The pages that changed; undefined as in {@link askWhichChanged}. */
export async function fetchChangedPages(
  client: ScimClient,
  question: Question,
  signal: AbortSignal,
): Promise<Pages | undefined> {
  const pages = new Map<string, Body>();
  const onChanged = (url: string, body: Body) => pages.set(url, body).size;
  return (await askAll(client, { ...question, onChanged }, signal)) ? pages : undefined;
}

/** Says of each page that it changed; what comes back is how many did so far. False where only a whole pull can tell. */
async function askAll(
  client: ScimClient,
  { etags, most, onChanged }: Question & { readonly onChanged: (url: string, body: Body) => number },
  signal: AbortSignal,
): Promise<boolean> {
  const asked = Object.entries(etags);
  const askUntil =
    (until: AbortSignal) =>
    async ([url, etag]: [string, string]) => {
      const fetched = await client.fetch({ what: "Asking for changes", url, etag }, until);
      if (fetched.kind === "body" && onChanged(url, fetched) > most) {
        throw new TooManyChanged();
      }
    };
  try {
    await together(signal, (until) => inLanes(client.lanes, asked, askUntil(until)));
    return asked.length > 0;
  } catch (error) {
    if (error instanceof TooManyChanged || isDeclined(error)) {
      return false;
    }
    throw error;
  }
}

class TooManyChanged extends Error {}

/** A page that is gone, or a cursor that has expired, is an answer too: ask for everything. */
function isDeclined(error: unknown): boolean {
  return error instanceof Failure && error.code === "iam-invalid";
}
