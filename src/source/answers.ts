/**
 * Reads what a server put into an answer.
 */

import { Failure } from "../model/failure.ts";
import { parseJson } from "../model/json.ts";
import { quoted } from "../model/quoted.ts";
import type { Secret } from "../model/secret.ts";
import type { HttpAnswer } from "../platform/http.ts";
import { readScimError } from "./schema.ts";

/** What came with a 200. */
export interface Body {
  readonly kind: "body";
  readonly json: unknown;
  readonly etag: string | undefined;
  /** Of its text, unpacked. */
  readonly bytes: number;
  /** The server's clock, in milliseconds since 1970; undefined where it does not say. */
  readonly serverMs: number | undefined;
}

/**
 * Throws for HTML, for broken JSON, and for a SCIM Error dressed as a 200. A server may say what it was sent: the token is
 * taken out before a text is cut, or a part of it would be left.
 */
export function readBody(
  answer: HttpAnswer,
  request: { readonly what: string; readonly url: string },
  token: Secret,
): Body {
  const where = `${request.what} from ${request.url}`;
  const json = parseJson(answer.text);
  if (json === undefined) {
    const start = quoted(token.hideIn(answer.text.slice(0, START_LENGTH)));
    const message = `${where}: the answer is no JSON; it starts with ${start}. Check that iam.url leads to the SCIM service and not to a login page or a proxy.`;
    throw new Failure("iam-invalid", message);
  }
  const error = readScimError(json);
  if (error !== undefined) {
    const { status, detail } = error;
    const message = `${where}: a SCIM error came with status 200: ${quoted(token.hideIn(String(status ?? "")))} ${quoted(token.hideIn(detail ?? ""))}. Nothing was changed.`;
    throw new Failure("iam-invalid", message);
  }
  const { bytes } = answer;
  return { kind: "body", json, etag: answer.header("etag"), bytes, serverMs: serverMsOf(answer) };
}

/** What a server says of its clock (RFC 9110 §6.6.1). */
export function serverMsOf(answer: HttpAnswer): number | undefined {
  const date = Date.parse(answer.header("date") ?? "");
  return Number.isNaN(date) ? undefined : date;
}

/** Whether a server did not answer what no server has to know. Whatever else is wrong shows with the lists themselves. */
export function isDispensable(error: unknown): boolean {
  return error instanceof Failure && OPTIONAL.has(error.code);
}

const OPTIONAL = new Set(["iam-invalid", "iam-refused", "iam-unreachable", "iam-too-large"]);

/** More than is shown, and than a token has. */
const START_LENGTH = 16_384;

/** The status of an answer, and what a SCIM Error body says of it. */
export function describeAnswer(answer: HttpAnswer, token: Secret): string {
  const error = readScimError(parseJson(answer.text));
  const detail = error?.detail === undefined ? "" : `, ${quoted(token.hideIn(error.detail))}`;
  return `${answer.status}${detail}`;
}
