import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { after, before, describe, it } from "node:test";
import { ALWAYS, type Authority, LONG_AGO, makeAuthority } from "../support/certificates.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { configFor, makeNodeRoot } from "../support/node-root.ts";
import { someUsers } from "../support/records.ts";

let authority: Authority;
before(() => {
  authority = makeAuthority();
});
after(() => authority[Symbol.dispose]());

const withIamKeys = (url: string, keys: string) => configFor(url).replace("iam:\n", `iam:\n${keys}`);
const CA_FILE = "  caFile: /etc/ca.pem\n";
const CLIENT = `${CA_FILE}  clientCertFile: /etc/client.pem\n  clientKeyFile: /etc/client.key\n`;

describe("TLS to the IAM", () => {
  it("is trusted through the authority the admin named", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), [], { tls: authority.issue("good", ...ALWAYS) });
    node.write("/etc/ca.pem", authority.ca);
    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(iam.url, CA_FILE));

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
  });

  it("is refused for an authority nobody named", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), [], { tls: authority.issue("unknown", ...ALWAYS) });
    node.configure(iam.url);
    const untouched = node.snapshot();

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /not to be trusted.*iam\.caFile.*iam-untrusted/);
    assert.deepEqual(node.snapshot(), untouched);
    assert.equal(iam.requests.length, 0);
  });

  it("is refused for an expired certificate, and the message names the clock", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), [], { tls: authority.issue("expired", ...LONG_AGO) });
    node.write("/etc/ca.pem", authority.ca);
    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(iam.url, CA_FILE));

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /CERT_HAS_EXPIRED.*clock of this node.*iam-untrusted/);
  });

  it("asks for HTTP/1.1, and says so to an admin whose server has none", async () => {
    using node = makeNodeRoot();
    const server = createSecureServer({ ...authority.issue("modern", ...ALWAYS), allowHTTP1: false });
    const port = await listenOnLoopback(server);
    using _server = { [Symbol.dispose]: () => server.close() };
    node.write("/etc/ca.pem", authority.ca);
    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(`https://127.0.0.1:${port}/scim`, CA_FILE));

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /does not speak HTTP\/1\.1 .*Let it, or a proxy.*iam-invalid/);
  });

  it("never falls back to other authorities when the named file is empty, or open to others", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), [], { tls: authority.issue("named", ...ALWAYS) });
    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(iam.url, CA_FILE));

    node.write("/etc/ca.pem", "");
    const empty = await node.rollcall("sync");
    node.write("/etc/ca.pem", authority.ca, 0o666);
    const open = await node.rollcall("sync");

    assert.deepEqual([empty.code, open.code, iam.requests.length], [1, 1, 0]);
    assert.match(empty.err, /ca\.pem for iam\.caFile holds no PEM block/);
    assert.match(open.err, /ca\.pem for iam\.caFile is open to others.*chmod 0644/);
  });

  it("shows the client certificate to a server that asks for one, and fails clearly without", async () => {
    using node = makeNodeRoot();
    const server = authority.issue("mutual", ...ALWAYS);
    await using iam = await startFakeIam(someUsers(2), [], { tls: { ...server, ca: authority.ca } });
    const client = authority.issue("client", ...ALWAYS);
    node.write("/etc/ca.pem", authority.ca);
    node.write("/etc/client.pem", client.cert);
    node.write("/etc/client.key", client.key, 0o600);

    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(iam.url, CA_FILE));
    const without = await node.rollcall("sync");
    node.write("/etc/rollcall/rollcall.yaml", withIamKeys(iam.url, CLIENT));
    const withClient = await node.rollcall("sync");

    assert.equal(without.code, 1, without.out);
    assert.match(without.err, /iam-unreachable|iam-untrusted/);
    assert.equal(withClient.code, 0, withClient.err);
  });
});
