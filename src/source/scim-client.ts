/**
 * One SCIM request, made until it is answered or hopeless.
 *
 * In: an address. Out: parsed JSON, or "not modified". Retries what may pass (resets, time-outs, 5xx, 429)
 * with exponential backoff and full jitter, and honours Retry-After.
 * What will not pass by itself (401, 403, redirects, broken bodies, certificates) fails at once.
 */

import { errorCodeOf, Failure, messageOf } from "../model/failure.ts";
import { quoted } from "../model/quoted.ts";
import type { Secret } from "../model/secret.ts";
import type { Clock } from "../platform/clock.ts";
import { BodyTooLarge, type HttpAnswer, type HttpClient } from "../platform/http.ts";
import { type Body, describeAnswer, readBody } from "./answers.ts";
import type { ScimSettings } from "./settings.ts";

/** What a request came to: the parsed body with its ETag, or nothing new since the ETag that was sent. */
export type Fetched = Body | { readonly kind: "not-modified" };

/** One request: what it is for, in words, and where it goes. */
export interface ScimRequest {
  readonly what: string;
  readonly url: string;
  /** Tries after the first; those of the settings when undefined. */
  readonly retries?: number;
  /** Sent as If-None-Match. */
  readonly etag?: string | undefined;
}

/** The parts a client is made of. */
export interface ScimClientParts {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly readToken: () => Promise<Secret>;
  readonly settings: ScimSettings;
}

/** Makes requests and counts them. */
export interface ScimClient {
  fetch(request: ScimRequest, signal: AbortSignal): Promise<Fetched>;
  readonly traffic: Traffic;
  /** So many requests are worth making at a time: while the answers to some are read, the others are in flight. */
  readonly lanes: number;
}

/** What was asked so far, over all requests. */
export interface Traffic {
  readonly requests: number;
  /** As they came over the wire. */
  readonly bytes: number;
  /** Answers by HTTP status; under `none` the requests that got none worth reading, under `given-up` those that nobody wanted any more. */
  readonly statuses: Readonly<Record<string, number>>;
}

const MAX_DELAY_MS = 30_000;
const MAX_RETRY_AFTER_MS = 120_000;

/** Reads the token once; it is read again only after a 401 or 403. */
export async function createScimClient(parts: ScimClientParts): Promise<ScimClient> {
  const traffic = { requests: 0, bytes: 0, statuses: {} };
  const session: Session = { parts, token: await parts.readToken(), traffic };
  return {
    traffic: session.traffic,
    lanes: 2 * parts.settings.parallel,
    fetch: (request, signal) => fetchWithRetries(session, request, signal),
  };
}

interface Session {
  readonly parts: ScimClientParts;
  readonly traffic: { requests: number; bytes: number; readonly statuses: Record<string, number> };
  token: Secret;
}

async function fetchWithRetries(
  session: Session,
  request: ScimRequest,
  signal: AbortSignal,
): Promise<Fetched> {
  const { clock, random, settings } = session.parts;
  let mayReadToken = true;
  for (let tries = 1; ; tries += 1) {
    // A list that is given up may have thousands of pages in line.
    signal.throwIfAborted();
    const used = session.token;
    const result = await attempt(session, request, signal);
    if (result.kind === "refused" && mayReadToken && (await renewToken(session, used))) {
      mayReadToken = false;
      tries -= 1;
      continue;
    }
    if (result.kind === "refused") {
      throw result.failure;
    }
    if (result.kind !== "transient") {
      return result;
    }
    const backoffMs = random() * Math.min(MAX_DELAY_MS, settings.retryDelayMs * 2 ** (tries - 1));
    const waitMs = result.retryAfterMs ?? backoffMs;
    if (tries > (request.retries ?? settings.retries) || waitMs > MAX_RETRY_AFTER_MS) {
      throw withoutSecret(unreachable(request, result.trouble, tries), session.token);
    }
    await clock.sleep(waitMs, signal);
  }
}

/** What one try came to: an answer, a trouble that may pass, or a token that was not accepted. */
type Attempt =
  | Fetched
  | { readonly kind: "transient"; readonly trouble: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: "refused"; readonly failure: Failure };

async function attempt(
  { parts, token, traffic }: Session,
  request: ScimRequest,
  signal: AbortSignal,
): Promise<Attempt> {
  traffic.requests += 1;
  try {
    const answer = await parts.http.get(request.url, headersFor(token, request.etag), signal);
    traffic.bytes += answer.wireBytes;
    count(traffic.statuses, String(answer.status));
    return attemptFrom(answer, request, { token, nowMs: parts.clock.now() });
  } catch (error) {
    if (error instanceof Failure) {
      throw withoutSecret(error, token);
    }
    count(traffic.statuses, signal.aborted ? "given-up" : "none");
    if (signal.aborted) {
      throw error;
    }
    return { kind: "transient", trouble: transientTrouble(error, request), retryAfterMs: undefined };
  }
}

function count(statuses: Record<string, number>, status: string): void {
  statuses[status] = (statuses[status] ?? 0) + 1;
}

/** A server may say in an error what it was sent. */
function withoutSecret(failure: Failure, token: Secret): Failure {
  return new Failure(failure.code, token.hideIn(failure.message), {
    cause: failure.cause,
  });
}

/** Reads the token anew. True when it is another one than the one that was refused, which another request may have renewed already. */
async function renewToken(session: Session, refused: Secret): Promise<boolean> {
  session.token = await session.parts.readToken();
  return !session.token.equals(refused);
}

/** What every request to the IAM carries. */
export function headersFor(token: Secret, etag?: string): Record<string, string> {
  return {
    authorization: `Bearer ${token.reveal()}`,
    accept: "application/scim+json, application/json",
    "user-agent": "rollcall",
    ...(etag !== undefined && { "if-none-match": etag }),
  };
}

function attemptFrom(
  answer: HttpAnswer,
  request: ScimRequest,
  { token, nowMs }: { readonly token: Secret; readonly nowMs: number },
): Attempt {
  const { status } = answer;
  if (status === 200) {
    return readBody(answer, request, token);
  }
  if (status === 304 && request.etag !== undefined) {
    return { kind: "not-modified" };
  }
  if (status === 429 || (status >= 500 && status !== 501)) {
    return {
      kind: "transient",
      trouble: describeAnswer(answer, token),
      retryAfterMs: retryAfterMs(answer.header("retry-after"), nowMs),
    };
  }
  const said = `${request.what} from ${request.url}: the server answered ${describeAnswer(answer, token)}`;
  if (status === 401 || status === 403) {
    const remedy = "The token is wrong, expired, or not allowed to read this list: renew it";
    return { kind: "refused", failure: new Failure("iam-refused", `${said}. ${remedy}.`) };
  }
  if (status >= 300 && status < 400) {
    throw new Failure(
      "iam-invalid",
      `${said}, location ${quoted(token.hideIn(answer.header("location") ?? ""))}. Redirects are not followed: set iam.url to where the service really is.`,
    );
  }
  throw new Failure("iam-invalid", `${said}. Check iam.url, the path and the query of this list.`);
}

/** A fault on the wire that may pass, in words; throws for one that will not. */
function transientTrouble(error: unknown, request: ScimRequest): string {
  const where = `${request.what} from ${request.url}`;
  if (error instanceof BodyTooLarge) {
    const message = `${where}: ${error.message}. Raise iam.maxPageBytes, or lower iam.pageSize.`;
    throw new Failure("iam-too-large", message, { cause: error });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = errorCodeOf(cause) ?? "";
  if (code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL") {
    const message = `${where}: the server does not speak HTTP/1.1 (${code}). Let it, or a proxy before it, speak HTTP/1.1 beside HTTP/2.`;
    throw new Failure("iam-invalid", message, { cause: error });
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code)) {
    const message = `${where}: the TLS connection is not to be trusted: ${messageOf(cause)} (${code}). Check the server's certificate, iam.caFile and the clock of this node.`;
    throw new Failure("iam-untrusted", message, { cause: error });
  }
  return `${messageOf(cause)}${code === "" ? "" : ` (${code})`}`;
}

function unreachable(request: ScimRequest, trouble: string, tries: number): Failure {
  const message = `${request.what} from ${request.url} failed after ${tries === 1 ? "one try" : `${tries} tries`}: ${trouble}. Check that the IAM is up and reachable from this node; nothing was changed.`;
  return new Failure("iam-unreachable", message);
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
