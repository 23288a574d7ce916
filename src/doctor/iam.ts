/**
 * The way to the IAM: its name, a connection, TLS, the clock, the token, and what answers there.
 */

import type { FirstPage, PageFault, TlsLook, Trouble } from "../model/probe.ts";
import { quoted } from "../model/quoted.ts";
import { about, broken, type Fact, type Finding, ok, someOf, warning } from "./finding.ts";

/** Each step builds on those before it. */
export interface IamFacts {
  /** Empty where nobody knows the name. */
  readonly addresses: Fact<{ readonly host: string; readonly addresses: readonly string[] }>;
  readonly connection: Fact<{ readonly where: string; readonly trouble: Trouble | undefined }>;
  readonly tls: Fact<TlsFacts>;
  /** How far the clock of this node is ahead of the server's, in milliseconds. */
  readonly aheadMs: Fact<number>;
  readonly token: Fact<TokenFacts>;
  readonly users: Fact<FirstPage>;
  readonly groups: Fact<FirstPage>;
}

/** How the connection is kept private. */
export interface TlsFacts {
  readonly host: string;
  /** `loopback`: nothing leaves this node; `clear`: iam.allowHttp. */
  readonly kind: "tls" | "loopback" | "clear";
  readonly look: TlsLook | undefined;
  readonly caFile: string | undefined;
  /** Why the files of the configuration cannot be used. */
  readonly pemFault: string | undefined;
  readonly nowMs: number;
}

/** The token, without itself. */
export interface TokenFacts {
  readonly place: string;
  readonly fault: string | undefined;
  readonly remedy: string | undefined;
}

/** Whether programs of this node know the server's name. */
export function iamName({ addresses }: IamFacts): Finding {
  return about(addresses, ({ host, addresses: found }) =>
    found.length > 0
      ? ok(`${quoted(host)} is ${someOf(found, 3)}`)
      : broken(
          `${quoted(host)} has no address`,
          `getent ahosts ${host} must answer: correct iam.url, or /etc/resolv.conf and the line "hosts" of /etc/nsswitch.conf.`,
        ),
  );
}

/** Whether anybody listens there. */
export function iamConnection({ connection }: IamFacts): Finding {
  return about(connection, ({ where, trouble }) => {
    if (trouble === undefined) {
      return ok(`${where} takes connections`);
    }
    const remedy =
      trouble.code === "ECONNREFUSED"
        ? "Nothing listens on that port: correct the port of iam.url, or start the IAM."
        : "Look at the route and the firewall between this node and the IAM (ip route get, traceroute).";
    return broken(`${where}: ${trouble.message}`, remedy);
  });
}

const DAY_MS = 24 * 3600 * 1000;
const SOON_MS = 14 * DAY_MS;

/** Whether the server is who it should be. */
export function iamTls({ tls }: IamFacts): Finding {
  return about(tls, (facts) => {
    const { kind, look, pemFault, nowMs } = facts;
    if (kind === "loopback") {
      return ok("http to loopback: nothing leaves this node");
    }
    if (kind === "clear") {
      return warning(
        "iam.allowHttp: the token crosses the network in the clear",
        "Use an https address in iam.url.",
      );
    }
    if (pemFault !== undefined || look === undefined) {
      return broken(pemFault ?? "there was no handshake", "Correct iam.caFile and the client certificate.");
    }
    if (look.trouble !== undefined) {
      return untrusted(look, look.trouble, facts);
    }
    const end = look.validTo === undefined ? "" : `, valid until ${dayOf(look.validTo)}`;
    const found = `the certificate is for ${quoted(look.names)}, by ${quoted(look.issuer)}${end}`;
    return look.validTo !== undefined && look.validTo - nowMs < SOON_MS
      ? warning(found, "Renew the server's certificate before that day.")
      : ok(found);
  });
}

function untrusted(look: TlsLook, { code, message }: Trouble, { host, caFile }: TlsFacts): Finding {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return broken(
      `the certificate is for ${quoted(look.names)}, not for ${quoted(host)}`,
      "Use a name of the certificate in iam.url, or give the server a certificate for this one.",
    );
  }
  if (code === "CERT_HAS_EXPIRED") {
    return broken(
      `the certificate has expired${look.validTo === undefined ? "" : ` on ${dayOf(look.validTo)}`}`,
      "Renew the server's certificate; if it is younger than that, set the clock of this node (timedatectl).",
    );
  }
  if (code === "CERT_NOT_YET_VALID") {
    return broken("the certificate is not valid yet", "Set the clock of this node (timedatectl).");
  }
  if (/SELF_SIGNED|UNABLE_TO|ISSUER/.test(code)) {
    const who = `the certificate is by ${quoted(look.issuer)}, an authority that ${caFile === undefined ? "this system" : quoted(caFile)} does not have (${code})`;
    return broken(
      who,
      "Put that authority's certificate (PEM) into a file of root's, and name it: iam.caFile: /etc/rollcall/ca.pem",
    );
  }
  return broken(
    `the handshake failed: ${quoted(message)} (${code})`,
    "Check that TLS is spoken on this port, and whether the server wants a client certificate (iam.clientCertFile).",
  );
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

const MAX_SKEW_MS = 60_000;

/** Whether both clocks agree; the header is in whole seconds. */
export function iamClock({ aheadMs }: IamFacts): Finding {
  return about(aheadMs, (ms) => {
    const seconds = Math.round(Math.abs(ms) / 1000);
    return Math.abs(ms) <= MAX_SKEW_MS
      ? ok("within a minute of the IAM's")
      : warning(
          `this node is ${seconds} s ${ms > 0 ? "ahead of" : "behind"} the IAM`,
          "See which of the two is wrong: timedatectl; then let a time service keep it (chronyc tracking).",
        );
  });
}

/** Whether there is a token that only root can read. */
export function tokenFile({ token }: IamFacts): Finding {
  return about(token, ({ place, fault, remedy }) =>
    fault === undefined
      ? ok(`there is one in ${place}, for root alone`)
      : broken(fault, remedy ?? "Put the bearer token of the IAM there: root's, mode 0600."),
  );
}

/** Whether the IAM takes it. */
export function tokenAccepted({ users, groups }: IamFacts): Finding {
  return about(users, (first) => {
    const pages = groups.known ? [first, groups.value] : [first];
    const refused = pages.find(({ fault }) => fault === "unauthorised" || fault === "forbidden");
    if (refused === undefined) {
      return pages.some(({ fault }) => fault === "no-answer")
        ? { verdict: "not-checked", found: "a list gave no answer" }
        : ok("the IAM does not refuse it");
    }
    return refused.fault === "unauthorised"
      ? broken(
          `the IAM does not know it (${refused.detail})`,
          "It is wrong, expired or revoked: put a new one into iam.tokenFile.",
        )
      : broken(
          `the IAM knows it, and it may not read ${refused.url} (${refused.detail})`,
          "Give the token the right to read users and groups in the IAM.",
        );
  });
}

/** Whether the list of users is one. */
export function usersList({ users }: IamFacts): Finding {
  return about(users, (page) => listFinding(page, "users"));
}

/** Whether the list of groups is one. */
export function groupsList({ groups }: IamFacts): Finding {
  return about(groups, (page) => listFinding(page, "groups"));
}

function listFinding({ url, fault, detail, total }: FirstPage, list: "users" | "groups"): Finding {
  if (fault === undefined) {
    return total === 0
      ? warning(
          `${url} is a ListResponse of nobody`,
          `Look at iam.${list}.query, and at what the token may see.`,
        )
      : ok(`${url} is a ListResponse${total === undefined ? "" : `, ${total} in all`}`);
  }
  if (fault === "unauthorised" || fault === "forbidden") {
    return { verdict: "not-checked", found: `the token is not accepted (${detail})` };
  }
  return broken(`${url}: ${WORDS[fault]}: ${detail}`, REMEDIES[fault].replaceAll("LIST", list));
}

type Judged = Exclude<PageFault, "unauthorised" | "forbidden">;

const WORDS: Readonly<Record<Judged, string>> = {
  absent: "there is no such list",
  redirect: "the server sends us elsewhere",
  refused: "the server refuses the request",
  html: "HTML came, not SCIM",
  "not-json": "the answer is no JSON",
  "scim-error": "the server says what is wrong",
  "not-list": "JSON came, but no ListResponse",
  "too-large": "the answer is too large",
  "no-answer": "no answer",
};

const WRONG_PATH =
  "Probably the path of iam.url is wrong (a login page or a proxy answers): it usually ends in /scim/v2. Try it with curl.";

const REMEDIES: Readonly<Record<Judged, string>> = {
  absent: "Correct the path of iam.url, which usually ends in /scim/v2, or iam.LIST.path.",
  redirect: "Set iam.url to where the service really is; redirects are not followed with a token.",
  refused: "Look at iam.LIST.query and iam.LIST.path, and into the IAM's log.",
  html: WRONG_PATH,
  "not-json": WRONG_PATH,
  "scim-error": "Look at iam.LIST.query, and into the IAM's log.",
  "not-list": `${WRONG_PATH} What answers must be a SCIM 2.0 service (RFC 7644).`,
  "too-large": "Lower iam.pageSize, or raise iam.maxPageBytes.",
  "no-answer":
    "Look whether the IAM is overloaded, or a proxy between holds the request; iam.timeout is for a sync.",
};
