/**
 * `rollcall setup` on nodes as they are found: what the real sshd and glibc then do, and whether undoing leaves a trace.
 */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePort } from "../support/login-node.ts";
import { missing, startNamespace } from "../support/namespace.ts";
import { run } from "../support/node-root.ts";
import { assertSame, furnishSetup, INCLUDE, KEYS, keyFilesOf, snapshotOf } from "../support/setup-node.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");
const BUILT_IN = ".ssh/authorized_keys .ssh/authorized_keys2";

/** A node as it is before setup, and what sshd and nsswitch.conf must say afterwards. */
interface Start {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly keyFiles: string;
  readonly lines: readonly string[];
  /** The files that setup changes or makes, without the configuration and the unit. */
  readonly touched: readonly string[];
}

const STARTS: readonly Start[] = [
  {
    name: "Debian's",
    files: {
      "/etc/nsswitch.conf":
        "# /etc/nsswitch.conf\n\npasswd:         files\ngroup:          files\nshadow:         files\ngshadow:        files\n\nhosts:          files dns\n",
      "/etc/ssh/sshd_config": `\n${INCLUDE}\n\n#AuthorizedKeysFile\t.ssh/authorized_keys .ssh/authorized_keys2\nUsePAM yes\n`,
    },
    keyFiles: `${KEYS} ${BUILT_IN}`,
    lines: ["passwd:         files cache", "group:          files cache", "shadow:         files cache"],
    touched: ["/etc/nsswitch.conf", "/etc/ssh/sshd_config.d/00-rollcall.conf"],
  },
  {
    name: "one like Ubuntu's, with what cloud-init and a site put there",
    files: {
      "/etc/nsswitch.conf":
        "passwd:         files systemd\ngroup:          files systemd\nshadow:         files systemd\ngshadow:        files systemd\n",
      "/etc/ssh/sshd_config": `${INCLUDE}\nUsePAM yes\n`,
      "/etc/ssh/sshd_config.d/50-cloud-init.conf": "PasswordAuthentication yes\n",
      "/etc/ssh/sshd_config.d/10-site.conf": "AuthorizedKeysFile /etc/site-keys/%u .ssh/authorized_keys\n",
    },
    keyFiles: `${KEYS} /etc/site-keys/%u .ssh/authorized_keys`,
    lines: ["passwd:         files cache systemd", "group:          files cache systemd"],
    touched: ["/etc/nsswitch.conf", "/etc/ssh/sshd_config.d/00-rollcall.conf"],
  },
  {
    name: "one like Red Hat's",
    files: {
      "/etc/nsswitch.conf":
        "passwd:     sss files systemd\nshadow:     files\ngroup:      sss [SUCCESS=merge] files [SUCCESS=merge] systemd\nnetgroup:   sss files\n",
      "/etc/ssh/sshd_config": `${INCLUDE}\nAuthorizedKeysFile\t.ssh/authorized_keys\n`,
      "/etc/ssh/sshd_config.d/50-redhat.conf":
        "Include /etc/crypto-policies/back-ends/*.config\nUsePAM yes\n",
      "/etc/crypto-policies/back-ends/opensshserver.config": "LogLevel VERBOSE\n",
    },
    keyFiles: `${KEYS} .ssh/authorized_keys`,
    lines: [
      "passwd:     sss files cache systemd",
      "group:      sss [SUCCESS=merge] files [SUCCESS=merge] cache [SUCCESS=merge] systemd",
    ],
    touched: ["/etc/nsswitch.conf", "/etc/ssh/sshd_config.d/00-rollcall.conf"],
  },
  {
    name: "one that was wired by hand",
    files: {
      "/etc/nsswitch.conf": "passwd: files cache\ngroup: files cache\nshadow: files cache\n",
      "/etc/ssh/sshd_config": `${INCLUDE}\n`,
      "/etc/ssh/sshd_config.d/rollcall.conf": `AuthorizedKeysFile ${KEYS} .ssh/authorized_keys\n`,
    },
    keyFiles: `${KEYS} .ssh/authorized_keys`,
    lines: ["passwd: files cache", "group: files cache", "shadow: files cache"],
    touched: [],
  },
  {
    name: "one that was edited by hand for years",
    files: {
      "/etc/nsswitch.conf":
        " passwd :\tfiles\t[NOTFOUND=return] nis # since 2009\n#group: nis\ngroup:files nis\t# \u00fc\r\nhosts:files dns",
      "/etc/ssh/sshd_config":
        "Port 22\nauthorizedkeysfile=/etc/keys/%u   .ssh/authorized_keys # two\nMatch User backup\n  AuthorizedKeysFile /etc/backup-keys\n  Include /etc/ssh/sshd_config.d/*.conf",
    },
    keyFiles: `${KEYS} /etc/keys/%u .ssh/authorized_keys`,
    lines: [
      " passwd :\tfiles cache\t[NOTFOUND=return] nis # since 2009",
      "group:files cache nis\t# \u00fc\r",
      "shadow:         files cache",
    ],
    touched: ["/etc/nsswitch.conf", "/etc/ssh/sshd_config"],
  },
];

/** A user and a group whom only the maps know, and a local group with them. */
const ASK = `printf 'ada:x:7001:7001:Ada:/home/ada:/bin/bash\\n' > /etc/passwd.cache
printf 'research:x:9001:ada\\n' > /etc/group.cache
printf 'ada:!:::::::\\n' > /etc/shadow.cache
getent passwd ada; getent shadow ada; id ada; getent group root
rm /etc/passwd.cache /etc/group.cache /etc/shadow.cache`;

describe("setup on a node", { skip, timeout: 300_000 }, () => {
  for (const { name, files, keyFiles, lines, touched } of STARTS) {
    it(`wires ${name}, so that sshd and getent answer, and undoing leaves no trace`, async () => {
      await using node = await startNamespace();
      await furnishSetup(node, files);
      await node.run("chmod", "0640", "/etc/ssh/sshd_config");
      const before = await snapshotOf(node);
      const keyFilesBefore = await keyFilesOf(node);

      const shown = await node.rollcall("setup", "--dry-run", "--json");
      const untouched = await snapshotOf(node);
      const ran = await node.rollcall("setup");

      assert.equal(ran.code, 0, ran.out + ran.err);
      assert.equal(shown.code, 2, shown.err);
      assertSame(untouched, before);
      const changed: string[] = JSON.parse(shown.out).shown.map(({ path }: { path: string }) => path);
      assert.deepEqual(
        changed.filter((path) => path === "/etc/nsswitch.conf" || path.startsWith("/etc/ssh/sshd")),
        touched,
      );
      assert.equal(await keyFilesOf(node), keyFiles);
      const nsswitch = (await node.read("/etc/nsswitch.conf")).split("\n");
      assert.deepEqual(
        lines.filter((line) => !nsswitch.includes(line)),
        [],
        nsswitch.join("\n"),
      );
      const { out } = await node.run("sh", "-c", ASK);
      assert.match(out, /^ada:x:7001:.*\nada:!:.*\nuid=7001\(ada\).*9001\(research\).*\nroot:x:0:/);
      const wired = await snapshotOf(node);

      const again = await node.rollcall("setup");
      const still = await snapshotOf(node);
      const undone = await node.rollcall("setup", "--undo");

      assert.match(again.out, /^Nothing to do: this node is wired\.$/m);
      assertSame(still, wired);
      assert.equal(undone.code, 0, undone.out + undone.err);
      assertSame(await snapshotOf(node), before);
      assert.equal(await keyFilesOf(node), keyFilesBefore);
    });
  }

  it("keeps to what somebody took out of its line, also when keys.directory changes", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, { "/etc/ssh/sshd_config": `${INCLUDE}\n` });
    await node.run("chmod", "0700", "/etc/ssh/sshd_config.d");
    const wired = await node.rollcall("setup");
    assert.equal(wired.code, 0, wired.out + wired.err);
    await node.run("sed", "-i", "s/ .ssh.*//", "/etc/ssh/sshd_config.d/00-rollcall.conf");
    const script = "echo 'keys: { directory: /etc/ssh/other.d }' >> /etc/rollcall/rollcall.yaml";
    await node.run("sh", "-c", script);

    const again = await node.rollcall("setup");

    assert.equal(again.code, 0, again.out + again.err);
    assert.equal(await keyFilesOf(node), "/etc/ssh/other.d/%u");
  });

  for (const path of [String.raw`/a\ b/%u`, "'/a b/%u'", '"/a b/%u"']) {
    it(`leaves sshd alone where it looks in ${path}`, async () => {
      await using node = await startNamespace();
      await furnishSetup(node, { "/etc/ssh/sshd_config": `AuthorizedKeysFile ${path}\n` });

      const ran = await node.rollcall("setup");

      assert.equal(ran.code, 1);
      assert.match(ran.err, /line 1 of \/etc\/ssh\/sshd_config has a path with a space/);
      assert.equal(await keyFilesOf(node), "/a b/%u");
    });
  }

  it("lets people in at a running sshd without a restart, and out again", async (t) => {
    await using node = await startNamespace();
    const directory = mkdtempSync(join(tmpdir(), "rollcall-knock-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const key = join(directory, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const port = await freePort();
    await furnishSetup(node, {
      "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
      "/etc/ssh/sshd_config": `${INCLUDE}\nPort ${port}\nListenAddress 127.0.0.1\nPidFile /run/sshd.pid\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n`,
      "/etc/passwd.cache": "ada:x:7001:7001:Ada:/:/bin/sh\n",
      "/etc/group.cache": "ada:x:7001:\n",
      "/etc/shadow.cache": "ada:*:::::::\n",
      "/etc/ssh/authorized_keys.d/ada": readFileSync(`${key}.pub`, "utf8"),
    });
    await node.run("ssh-keygen", "-A");
    await using sshd = node.start("/usr/sbin/sshd", "-D", "-e");
    await sshd.printed("Server listening");
    const knock = async () => {
      const options = [
        "BatchMode=yes",
        "IdentityAgent=none",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "ConnectionAttempts=20",
      ];
      const args = options.flatMap((option) => ["-o", option]);
      const ran = await run("ssh", [
        "-F",
        "none",
        "-T",
        "-i",
        key,
        "-p",
        String(port),
        ...args,
        "ada@127.0.0.1",
        "id -un",
      ]);
      return ran.out.trim();
    };
    assert.equal(await knock(), "");

    const ran = await node.rollcall("setup");

    assert.match(ran.out, /SIGHUP to \d+/, ran.err);
    await sshd.printed("Received SIGHUP; restarting.");
    assert.equal(await knock(), "ada");
    const undone = await node.rollcall("setup", "--undo");
    assert.match(undone.out, /SIGHUP to \d+/, undone.err);
    assert.equal(await knock(), "");
    assert.notEqual(await node.read("/etc/ssh/authorized_keys.d/ada"), "");
  });
});
