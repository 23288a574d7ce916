/**
 * Certificates for tests: an authority of their own, made by the real openssl in a temporary directory.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Disposable {
  /** The authority's own certificate, as PEM. */
  readonly ca: string;
  /** A certificate for 127.0.0.1, valid between two moments written YYYYMMDDHHMMSSZ. */
  issue(name: string, from: string, to: string): Certificate;
}

export const ALWAYS = ["20200101000000Z", "20491231235959Z"] as const;
export const LONG_AGO = ["20200101000000Z", "20200201000000Z"] as const;

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), "rollcall-ca-"));
  const file = (name: string) => join(directory, name);
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  writeFileSync(file("index.txt"), "");
  writeFileSync(file("ca.cnf"), CONFIG);
  openssl(
    "req",
    "-x509",
    ...EC_KEY,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "3650",
    "-subj",
    "/CN=test authority",
  );
  return {
    ca: readFileSync(file("ca.pem"), "utf8"),
    issue(name, from, to) {
      openssl("req", ...EC_KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      const dates = ["-startdate", from, "-enddate", to];
      openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        "ca.cnf",
        ...dates,
        "-in",
        `${name}.csr`,
        "-out",
        `${name}.pem`,
      );
      return {
        cert: readFileSync(file(`${name}.pem`), "utf8"),
        key: readFileSync(file(`${name}.key`), "utf8"),
      };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const CONFIG = `[ca]
default_ca = test
[test]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
x509_extensions = leaf
unique_subject = no
[any]
commonName = supplied
[leaf]
subjectAltName = IP:127.0.0.1
`;
