/**
 * Asks the IAM for what is new, with conditional requests (RFC 7644 §3.14, RFC 9110 §13.1.2).
 *
 * In: the ETag of every page of the last pull. Out: yes or no, or the pages that changed. A page that moved, a cursor that expired
 * and a server that answers with anything but 304 all mean that something is new.
 */

import { Failure } from "../model/failure.ts";
import type { Body } from "./answers.ts";
import { inLanes, together } from "./lanes.ts";
import type { Etags } from "./remembered.ts";
import type { ScimClient } from "./scim-client.ts";

/** By address. */
export type Pages = ReadonlyMap<string, Body>;

/** True only when every page of both lists is the same as last time; false when there is nothing to ask with. */
export async function nothingChanged(
  client: ScimClient,
  etags: Etags,
  signal: AbortSignal,
): Promise<boolean> {
  return (await changedPages(client, { etags, most: 0 }, signal)) !== undefined;
}

/** The pages that changed, if they are no more than `most`; undefined for more, with nothing to ask with, and where the server declines. */
export async function changedPages(
  client: ScimClient,
  { etags, most }: { readonly etags: Etags; readonly most: number },
  signal: AbortSignal,
): Promise<Pages | undefined> {
  const pages = new Map<string, Body>();
  const asked = Object.entries(etags);
  const askUntil =
    (until: AbortSignal) =>
    async ([url, etag]: [string, string]) => {
      const fetched = await client.fetch({ what: "Asking for changes", url, etag }, until);
      if (fetched.kind === "body" && pages.set(url, fetched).size > most) {
        throw new TooManyChanged();
      }
    };
  try {
    await together(signal, (until) => inLanes(client.lanes, asked, askUntil(until)));
    return asked.length === 0 ? undefined : pages;
  } catch (error) {
    if (error instanceof TooManyChanged || isDeclined(error)) {
      return undefined;
    }
    throw error;
  }
}

class TooManyChanged extends Error {}

/** A page that is gone, or a cursor that has expired, is an answer too: ask for everything. */
function isDeclined(error: unknown): boolean {
  return error instanceof Failure && error.code === "iam-invalid";
}
