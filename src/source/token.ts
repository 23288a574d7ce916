/**
 * Where the bearer token comes from: a file, a systemd credential, or the environment, in that order.
 *
 * A file is read each time it is asked for, so a rotated token is used by the next request. A file that
 * others can read or that another user owns is refused: it is not a secret any more.
 */

import { dirname } from "node:path";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { Secret } from "../model/secret.ts";
import { fileSize, readText } from "../platform/files.ts";
import { isOpenDirectory } from "../platform/open-directory.ts";
import { isTrustedOwner } from "../platform/privileges.ts";

/** The places outside the configuration where a token may be. */
export interface TokenEnvironment {
  /** `$CREDENTIALS_DIRECTORY`, set by systemd for `LoadCredential=iam-token:…`. */
  readonly credentialsDirectory: string | undefined;
  /** `$ROLLCALL_IAM_TOKEN` or `$NSSCACHE_SCIM_AUTH_TOKEN`. */
  readonly token: Secret | undefined;
}

/** Reads the token that is in force now. */
export async function readToken(
  tokenFile: string | undefined,
  environment: TokenEnvironment,
): Promise<Secret> {
  if (tokenFile !== undefined) {
    return readTokenFile(tokenFile);
  }
  const credential = await readCredential(environment);
  if (credential !== undefined) {
    return credential;
  }
  if (environment.token !== undefined) {
    return checkedToken(environment.token.reveal(), "the environment");
  }
  throw new Failure(
    "token-unreadable",
    "No token for the IAM: set iam.tokenFile, pass a systemd credential called iam-token (the unit takes /etc/rollcall/token), or set ROLLCALL_IAM_TOKEN.",
  );
}

/** The unit passes an empty credential where its token file is missing, or systemd would not start the service. */
async function readCredential({ credentialsDirectory }: TokenEnvironment): Promise<Secret | undefined> {
  const path = `${credentialsDirectory}/iam-token`;
  if (credentialsDirectory === undefined || (await fileSize(path)) === undefined) {
    return undefined;
  }
  const text = await readGuarded(path);
  return text.trim() === "" ? undefined : checkedToken(text, path);
}

async function readTokenFile(path: string): Promise<Secret> {
  return checkedToken(await readGuarded(path), path);
}

/** The text of a file that is secret still. */
async function readGuarded(path: string): Promise<string> {
  const { text, mode, uid } = await readText(path).catch((error: unknown) => {
    const message = `Reading the token file ${path} failed: ${messageOf(error)}${hintFor(messageOf(error))}. Put the bearer token of the IAM there, readable by root alone.`;
    throw new Failure("token-unreadable", message, { cause: error });
  });
  if ((mode & 0o007) !== 0 || (mode & 0o020) !== 0) {
    const message = `The token file ${path} has mode ${mode.toString(8).padStart(4, "0")}: others can read or change it. Run: chmod 0600 ${path}`;
    throw new Failure("token-exposed", `${message} (and change the token if anybody may have seen it).`);
  }
  if (await isOpenDirectory(dirname(path))) {
    throw new Failure(
      "token-exposed",
      `Anybody can replace the token file ${path}. Run: chmod o-w ${dirname(path)}`,
    );
  }
  if (!isTrustedOwner(uid)) {
    throw new Failure(
      "token-exposed",
      `The token file ${path} belongs to uid ${uid}. Run: chown root ${path}`,
    );
  }
  return text;
}

/** RFC 6750 §2.1. Anything else would break the header, and is a file of another kind. */
function checkedToken(text: string, origin: string): Secret {
  const token = text.trim();
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    const message = `The token from ${origin} is empty or holds characters that no bearer token has (RFC 6750). Put only the token there.`;
    throw new Failure("token-unreadable", message);
  }
  return new Secret(token);
}
