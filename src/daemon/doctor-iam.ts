/**
 * Goes the way to the IAM one step after the other, each within its own limit; a step that fails ends the way.
 *
 * Nothing is sent before the server is trusted, and then only GETs.
 */

import { isLoopback, type Settings } from "../config/settings.ts";
import { type Fact, failed, known, silent, unknown } from "../doctor/finding.ts";
import type { IamFacts, TlsFacts, TokenFacts } from "../doctor/iam.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { FirstPage } from "../model/probe.ts";
import type { Secret } from "../model/secret.ts";
import { addressesOf, type Endpoint, tryTcp, tryTls } from "../platform/net-probe.ts";
import { fetchFirstPage } from "../source/first-page.ts";
import type { ScimSettings } from "../source/settings.ts";
import { readToken } from "../source/token.ts";
import { factOf, isDenied, NEEDS_ROOT, withRemedy } from "./doctor-look.ts";
import { type Surroundings, sourceSettings } from "./surroundings.ts";
import { httpClientFor, pemFilesOf } from "./wire-http.ts";

const STEP_MS = 5000;
/** A first page may take the server a while; a sync has iam.timeout for it. */
const PAGE_MS = 10_000;

/** The IAM's facts where there is no way to go. */
export function noIam(why: string): IamFacts {
  const none = unknown(why);
  return {
    addresses: none,
    connection: none,
    tls: none,
    aheadMs: none,
    token: none,
    users: none,
    groups: none,
  };
}

/** Goes as far as it gets. */
export async function lookAtIam(
  settings: Settings,
  around: Surroundings,
  signal: AbortSignal,
): Promise<IamFacts> {
  const { iam } = sourceSettings(settings, around.root);
  if (iam.source === "file") {
    return noIam("iam.source is file: nothing is asked over the network");
  }
  const url = new URL(iam.url);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const endpoint = { host: url.hostname.replace(/^\[|\]$/g, ""), port };
  const token = await lookAtToken(iam, around);
  const way = await goTo(endpoint, iam, around);
  const pages = await pagesOf({ iam, token, way: way.tls }, around, signal);
  return { ...way, token: token.known ? known(token.value.facts) : token, ...pages };
}

type Way = Pick<IamFacts, "addresses" | "connection" | "tls">;

async function goTo(endpoint: Endpoint, iam: ScimSettings, around: Surroundings): Promise<Way> {
  const { host, port } = endpoint;
  const addresses = await factOf({
    what: `the name service, asked for ${host},`,
    limitMs: STEP_MS + 1000,
    look: () => addressesOf(host, STEP_MS),
  });
  const named: Way["addresses"] = answered(addresses, `the name service, asked for ${host},`, (found) =>
    known({ host, addresses: found }),
  );
  if (!named.known || named.value.addresses.length === 0) {
    return { addresses: named, connection: unknown(NO_NAME), tls: unknown(NO_NAME) };
  }
  const where = `${host} port ${port}`;
  const tried = await factOf({ what: where, limitMs: STEP_MS + 1000, look: () => tryTcp(endpoint, STEP_MS) });
  const connection: Way["connection"] = answered(tried, where, (answer) =>
    known({ where, trouble: answer === "connected" ? undefined : answer }),
  );
  if (!connection.known || connection.value.trouble !== undefined) {
    return { addresses: named, connection, tls: unknown(NO_CONNECTION) };
  }
  return { addresses: named, connection, tls: await lookAtTls(endpoint, iam, around) };
}

const NO_NAME = "no address of the IAM is known";
const NO_CONNECTION = "there is no connection to the IAM";

/** Goes on with an answer; a silence is a fact too. */
function answered<Answer, Value>(
  fact: Fact<Answer | "silent">,
  what: string,
  then: (answer: Answer) => Fact<Value>,
): Fact<Value> {
  if (!fact.known) {
    return fact;
  }
  return fact.value === "silent" ? silent(what, STEP_MS) : then(fact.value);
}

async function lookAtTls(
  endpoint: Endpoint,
  iam: ScimSettings,
  { clock }: Surroundings,
): Promise<Fact<TlsFacts>> {
  const { host } = endpoint;
  const facts = { host, look: undefined, caFile: iam.caFile, pemFault: undefined, nowMs: clock.now() };
  const { protocol, hostname } = new URL(iam.url);
  if (protocol === "http:") {
    return known({ ...facts, kind: isLoopback(hostname) ? "loopback" : "clear" });
  }
  try {
    const pem = await pemFilesOf(iam);
    const look = await tryTls(endpoint, pem, STEP_MS);
    return look === "silent"
      ? silent(`the TLS handshake with ${host}`, STEP_MS)
      : known({ ...facts, kind: "tls", look });
  } catch (error) {
    return isDenied(error)
      ? unknown(NEEDS_ROOT)
      : known({ ...facts, kind: "tls", pemFault: messageOf(error) });
  }
}

interface HeldToken {
  readonly facts: TokenFacts;
  readonly secret: Secret | undefined;
}

async function lookAtToken(iam: ScimSettings, { tokens }: Surroundings): Promise<Fact<HeldToken>> {
  const place =
    iam.tokenFile ??
    (tokens.credentialsDirectory === undefined ? "the environment" : "the systemd credential iam-token");
  try {
    const secret = await readToken(iam.tokenFile, tokens);
    return known({ facts: { place, fault: undefined, remedy: undefined }, secret });
  } catch (error) {
    if (isDenied(error)) {
      return unknown(NEEDS_ROOT);
    }
    if (!(error instanceof Failure)) {
      return failed(messageOf(error));
    }
    const { found, remedy } = withRemedy(error.message);
    return known({ facts: { place, fault: found, remedy }, secret: undefined });
  }
}

type Pages = Pick<IamFacts, "users" | "groups" | "aheadMs">;

async function pagesOf(
  {
    iam,
    token,
    way,
  }: { readonly iam: ScimSettings; readonly token: Fact<HeldToken>; readonly way: Way["tls"] },
  around: Surroundings,
  signal: AbortSignal,
): Promise<Pages> {
  const secret = token.known ? token.value.secret : undefined;
  const isTrusted = way.known && way.value.pemFault === undefined && way.value.look?.trouble === undefined;
  if (!isTrusted || secret === undefined) {
    const unasked = token.known ? unknown("there is no token to ask with") : token;
    const why = isTrusted ? unasked : unknown("there is no trusted connection to the IAM");
    return { users: why, groups: why, aheadMs: why };
  }
  await using http = await httpClientFor({ ...iam, timeoutMs: Math.min(iam.timeoutMs, PAGE_MS) });
  const ask = (list: "users" | "groups") => {
    const request = { base: iam.url, list: iam[list], count: iam.pageSize, token: secret };
    const what = `the list of ${list} of ${iam.url}`;
    return factOf({ what, limitMs: PAGE_MS + 1000, look: () => fetchFirstPage(http, request, signal) });
  };
  const before = around.clock.now();
  const [users, groups] = await Promise.all([ask("users"), ask("groups")]);
  return { users, groups, aheadMs: skewOf([users, groups], [before, around.clock.now()]) };
}

/** Anything between asking and having the answer is no skew. */
function skewOf(pages: readonly Fact<FirstPage>[], [before, after]: readonly [number, number]): Fact<number> {
  const serverMs = pages.flatMap((page) => (page.known ? (page.value.serverMs ?? []) : []))[0];
  if (serverMs === undefined) {
    return unknown("no answer of the IAM had a Date header");
  }
  return known(Math.max(0, before - serverMs - 1000) + Math.min(0, after - serverMs));
}
