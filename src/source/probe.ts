/**
 * Asks the IAM whether anything is new, with conditional requests (RFC 7644 §3.14, RFC 9110 §13.1.2).
 *
 * In: the ETag of every page of the last pull. Out: yes or no. A page that moved, a cursor that expired and a
 * server that answers with anything but 304 all mean that something is new.
 */

import { Failure } from "../model/failure.ts";
import type { Etags } from "./remembered.ts";
import type { ScimClient } from "./scim-client.ts";

/** True only when every page of both lists is the same as last time; false when there is nothing to ask with. */
export async function nothingChanged(
  client: ScimClient,
  etags: Etags,
  signal: AbortSignal,
): Promise<boolean> {
  if (Object.keys(etags).length === 0) {
    return false;
  }
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const ask = async ([url, etag]: [string, string]) => {
    const fetched = await client.fetch({ what: "Asking for changes", url, etag }, both);
    return fetched.kind === "not-modified" || Promise.reject(new SomethingChanged());
  };
  try {
    await Promise.all(Object.entries(etags).map(ask));
    return true;
  } catch (error) {
    if (error instanceof SomethingChanged || isDeclined(error)) {
      return false;
    }
    throw error;
  } finally {
    stop.abort();
  }
}

class SomethingChanged extends Error {}

/** A page that is gone, or a cursor that has expired, is an answer too: ask for everything. */
function isDeclined(error: unknown): boolean {
  return error instanceof Failure && error.code === "iam-invalid";
}
