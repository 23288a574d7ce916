/**
 * Asks the IAM for what is new, with conditional requests (RFC 7644 §3.14, RFC 9110 §13.1.2).
 *
 * In: the ETag of every page of the last pull. Out: the pages that changed, or which they are. A page that moved, a cursor that expired
 * and a server that answers with anything but 304 all mean that something is new.
 */

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
 * Places of the pages that changed, among the ETags, in their order from 0; none when both lists are the same as last time.
 * Undefined for more than `most`, with nothing to ask with, and where the server declines.
 */
export async function changedPlaces(
  client: ScimClient,
  question: Question,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  const changed = new Set<string>();
  const isAnswered = await askAll(client, { ...question, onChanged: (url) => changed.add(url).size }, signal);
  const urls = Object.keys(question.etags);
  return isAnswered ? urls.flatMap((url, place) => (changed.has(url) ? [place] : [])) : undefined;
}

/** The pages that changed; undefined as in {@link changedPlaces}. */
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
