/**
 * The first page of a list, looked at rather than believed: for finding out why a list cannot be had.
 *
 * In: a list, and the way to its server. Out: what came back, in words; never the token, whatever the server says.
 */

import { errorCodeOf, messageOf } from "../model/failure.ts";
import { parseJson } from "../model/json.ts";
import type { FirstPage, PageFault } from "../model/probe.ts";
import { quoted } from "../model/quoted.ts";
import type { Secret } from "../model/secret.ts";
import { BodyTooLarge, type HttpAnswer, type HttpClient } from "../platform/http.ts";
import { serverMsOf } from "./answers.ts";
import { pageUrl } from "./query.ts";
import { readListResponse, readScimError } from "./schema.ts";
import { headersFor } from "./scim-client.ts";
import type { ListSettings } from "./settings.ts";

/** Which list, from where, with what. */
export interface PageRequest {
  readonly base: string;
  readonly list: ListSettings;
  readonly count: number;
  readonly token: Secret;
}

/** Asks once. Rejects only when the signal aborts. */
export async function fetchFirstPage(
  http: HttpClient,
  { base, list, count, token }: PageRequest,
  signal: AbortSignal,
): Promise<FirstPage> {
  const url = pageUrl(base, list, { startIndex: "1", count: String(count) });
  try {
    const answer = await http.get(url, headersFor(token), signal);
    return { url, ...NOTHING, ...pageFrom(answer, token) };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const detail = isLate
      ? "nothing came in time"
      : `${messageOf(cause)} (${errorCodeOf(cause) ?? "unknown"})`;
    return { url, ...NOTHING, fault: error instanceof BodyTooLarge ? "too-large" : "no-answer", detail };
  }
}

const NOTHING: Omit<FirstPage, "url"> = {
  status: undefined,
  serverMs: undefined,
  fault: undefined,
  detail: "",
  total: undefined,
  resources: [],
};

function pageFrom(answer: HttpAnswer, token: Secret): Partial<FirstPage> {
  const { status } = answer;
  const serverMs = serverMsOf(answer);
  // A server may say what it was sent; a text that is cut afterwards would show a part of it.
  const text = token.hideIn(answer.text);
  const json = parseJson(text);
  const error = readScimError(json);
  const said = error?.detail === undefined ? "" : `: ${quoted(token.hideIn(error.detail))}`;
  const fault = STATUS_FAULTS[status] ?? (status >= 300 && status < 400 ? "redirect" : "refused");
  if (fault === "redirect") {
    const location = quoted(token.hideIn(answer.header("location") ?? ""));
    return { status, serverMs, fault, detail: `status ${status}, location ${location}` };
  }
  if (status !== 200) {
    return { status, serverMs, fault, detail: `status ${status}${said}` };
  }
  if (json === undefined) {
    const fault = /^\s*</.test(text) ? "html" : "not-json";
    return { status, serverMs, fault, detail: `it starts with ${quoted(text.slice(0, 80))}` };
  }
  if (error !== undefined) {
    return { status, serverMs, fault: "scim-error", detail: `a SCIM error with status 200${said}` };
  }
  const page = readListResponse(json);
  return "fault" in page
    ? { status, serverMs, fault: "not-list", detail: token.hideIn(page.fault) }
    : { status, serverMs, total: page.totalResults, resources: page.Resources ?? [] };
}

const STATUS_FAULTS: Readonly<Record<number, PageFault>> = {
  401: "unauthorised",
  403: "forbidden",
  404: "absent",
};
