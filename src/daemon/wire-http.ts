/**
 * Puts the way to the IAM together: whom to trust, how to show who this is, and the token.
 */

import { Failure, messageOf } from "../model/failure.ts";
import { readText } from "../platform/files.ts";
import { createHttpClient, type HttpClient, type HttpOptions } from "../platform/http.ts";
import { isOpenToOthers } from "../platform/privileges.ts";
import { createScimClient, type ScimClient } from "../source/scim-client.ts";
import type { ScimSettings } from "../source/settings.ts";
import { readToken } from "../source/token.ts";
import type { Surroundings } from "./surroundings.ts";

/** A client with the token of the configuration. */
export function scimClientFor(
  iam: ScimSettings,
  http: HttpClient,
  { clock, random, tokens }: Surroundings,
): Promise<ScimClient> {
  const token = () => readToken(iam.tokenFile, tokens);
  return createScimClient({ http, clock, random, settings: iam, readToken: token });
}

/** A client that trusts whom the configuration says. Throws where its PEM files are not to be used. */
export async function httpClientFor(iam: ScimSettings): Promise<HttpClient> {
  return createHttpClient({
    timeoutMs: iam.timeoutMs,
    maxBodyBytes: iam.maxPageBytes,
    connections: iam.parallel,
    ...(await pemFilesOf(iam)),
  });
}

/** Whom to trust, and how to show who this is; undefined for what is not configured. */
export async function pemFilesOf(iam: ScimSettings): Promise<Pick<HttpOptions, "ca" | "cert" | "key">> {
  return {
    ca: await readPem(iam.caFile, "iam.caFile"),
    cert: await readPem(iam.clientCertFile, "iam.clientCertFile"),
    key: await readPem(iam.clientKeyFile, "iam.clientKeyFile"),
  };
}

async function readPem(path: string | undefined, key: string): Promise<string | undefined> {
  if (path === undefined) {
    return undefined;
  }
  const { text, mode, uid } = await readText(path).catch((error: unknown) => {
    const message = `Reading ${path} for ${key} failed: ${messageOf(error)}. It must be a PEM file that root can read.`;
    throw new Failure("config-unreadable", message, { cause: error });
  });
  if (!/^-----BEGIN [A-Z ]+-----$/m.test(text)) {
    throw new Failure(
      "config-unreadable",
      `The file ${path} for ${key} holds no PEM block: it must have a line -----BEGIN CERTIFICATE----- or the like.`,
    );
  }
  if (isOpenToOthers({ uid, mode }) || (key === "iam.clientKeyFile" && (mode & 0o004) !== 0)) {
    const mend = key === "iam.clientKeyFile" ? "0600" : "0644";
    throw new Failure(
      "config-unreadable",
      `The file ${path} for ${key} is open to others. Run: chown root ${path}; chmod ${mend} ${path}`,
    );
  }
  return text;
}
