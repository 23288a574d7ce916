/**
 * The way to a server, one step at a time: its name, a connection, TLS. Sends nothing.
 */

import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import type { TlsLook, Trouble } from "../model/probe.ts";
import { runTool } from "./child.ts";
import { inTime } from "./clock.ts";

/** Where a server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The addresses of a name, as programs of this node get them. By getent(1), which can be killed; a resolver cannot. */
export async function addressesOf(host: string, timeoutMs: number): Promise<readonly string[] | "silent"> {
  if (isIP(host) !== 0) {
    return [host];
  }
  const { code, signal, out } = await runTool({ program: "getent", args: ["ahosts", "--", host] }, timeoutMs);
  if (code === undefined && signal !== undefined) {
    return "silent";
  }
  return [...new Set(out.split("\n").flatMap((line) => /^\S+/.exec(line)?.[0] ?? []))];
}

/** Connects and hangs up. */
export function tryTcp(
  { host, port }: Endpoint,
  timeoutMs: number,
): Promise<Trouble | "silent" | "connected"> {
  const socket = connectTcp({ host, port });
  return answerOf<"connected">(socket, timeoutMs, (resolve) =>
    socket.on("connect", () => resolve({ got: "connected" })),
  );
}

/** Shakes hands with whoever is there and hangs up; an untrusted server gets nothing but the handshake. */
export function tryTls(
  { host, port }: Endpoint,
  pem: Readonly<Record<"ca" | "cert" | "key", string | undefined>>,
  timeoutMs: number,
): Promise<TlsLook | "silent"> {
  const { ca, cert, key } = pem;
  const socket = connectTls({
    host,
    port,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
  });
  const asLook = (answer: TlsLook | Trouble | "silent"): TlsLook | "silent" =>
    answer === "silent" || "names" in answer
      ? answer
      : { trouble: answer, names: "", issuer: "", validTo: undefined };
  return answerOf<TlsLook>(socket, timeoutMs, (resolve) =>
    socket.on("secureConnect", () => {
      const trouble = socket.authorized ? undefined : troubleOf(socket.authorizationError);
      resolve({ got: { trouble, ...describe(socket.getPeerCertificate()) } });
    }),
  ).then(asLook);
}

function describe(certificate: Partial<PeerCertificate>): Omit<TlsLook, "trouble"> {
  const { subjectaltname, subject, issuer, valid_to } = certificate;
  const validTo = Date.parse(valid_to ?? "");
  return {
    names: subjectaltname ?? `CN=${String(subject?.CN ?? "nobody")}`,
    issuer: String(issuer?.CN ?? issuer?.O ?? "nobody"),
    validTo: Number.isNaN(validTo) ? undefined : validTo,
  };
}

function troubleOf(error: unknown): Trouble {
  // Node gives a bare code for what OpenSSL says, and an error for a name that does not fit.
  return error instanceof Error
    ? { code: errorCodeOf(error) ?? "", message: messageOf(error) }
    : { code: String(error), message: String(error) };
}

/** Waits for whatever comes first: what was hoped for, an error, or the end of the time. */
async function answerOf<Answer>(
  socket: Socket,
  timeoutMs: number,
  listen: (resolve: (answer: { readonly got: Answer | Trouble }) => void) => void,
): Promise<Answer | Trouble | "silent"> {
  const answer = new Promise<{ readonly got: Answer | Trouble }>((resolve) => {
    socket.on("error", (error) => resolve({ got: troubleOf(error) }));
    socket.on("close", () => resolve({ got: { code: "ECONNRESET", message: "the server hung up" } }));
    listen(resolve);
  });
  try {
    return (await inTime(answer, timeoutMs))?.got ?? "silent";
  } finally {
    socket.destroy();
  }
}
