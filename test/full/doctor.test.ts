/**
 * Faults of a login node, each prepared on a copy of a healthy one: the doctor must find it with the right check, and
 * blame nothing else.
 */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { LONG_AGO } from "../support/certificates.ts";
import {
  type DoctorNode,
  type Examined,
  GROUPS,
  idsWith,
  startDoctorNode,
  USERS,
} from "../support/doctor-node.ts";
import {
  type FakeIam,
  type IamRequest,
  sendError,
  sendJson,
  startFakeIam,
  TOKEN,
} from "../support/fake-iam.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { missing, PROGRAM } from "../support/namespace.ts";
import { aUser, POSIX } from "../support/records.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");

const CONFIG = "/etc/rollcall/rollcall.yaml";
const DROP_IN = "/etc/ssh/sshd_config.d/rollcall.conf";
const LIBRARY = "$(readlink -f /lib/*-linux-gnu/libnss_cache.so.2)";

interface Fault {
  /** Run on the copy, with sh. */
  readonly script?: string;
  /** Changes the IAM; what it gives is added to the script, and disposed of. */
  readonly iam?: (node: DoctorNode) => Promise<Prepared> | undefined;
  readonly check: string;
  readonly verdict: "broken" | "warning";
  /** What the check must have found, or advise. */
  readonly says: RegExp;
  /** Checks that are broken as well, because of it. */
  readonly also?: readonly string[];
}

interface Prepared extends AsyncDisposable {
  readonly script: string;
}

type Prepare = NonNullable<Fault["iam"]>;

const misbehaving =
  (misbehave: (request: IamRequest, response: ServerResponse, iam: FakeIam) => boolean): Prepare =>
  ({ iam }) => {
    iam.misbehave = misbehave;
    return undefined;
  };
const having =
  (users: readonly unknown[], groups: readonly unknown[] = GROUPS): Prepare =>
  ({ iam }) => {
    iam.users = [...users];
    iam.groups = [...groups];
    return undefined;
  };
const atUrl = (url: string) => `sed -i 's|url: .*|url: ${url}|' ${CONFIG}`;
const configured = (line: string) => `echo '${line}' >> ${CONFIG}`;
const sshd = (...lines: string[]) =>
  `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} > ${DROP_IN}`;
const OURS = "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u";
const NO_LOOKUP = ["lookup-name", "lookup-uid"];

const ON_THE_WAY_TO_THE_IAM: Readonly<Record<string, Fault>> = {
  "there is no configuration": {
    script: `rm ${CONFIG}`,
    check: "config",
    verdict: "broken",
    says: /there is no .*rollcall\.yaml/,
  },
  "the configuration has a mistake": {
    script: configured("iams: {}"),
    check: "config",
    verdict: "broken",
    says: /1 mistake.*iams: unknown key/,
  },
  "others can write to the configuration": {
    script: `chmod 666 ${CONFIG}`,
    check: "config",
    verdict: "broken",
    says: /chmod go-w/,
  },
  "no attribute is named for keys": {
    script: `sed -i '/ keys:/d' ${CONFIG}`,
    check: "config",
    verdict: "warning",
    says: /nobody gets an SSH key/,
  },
  "the IAM's name is unknown": {
    script: `sed -i '/^hosts:/d' /etc/nsswitch.conf; echo 'hosts: files' >> /etc/nsswitch.conf; ${atUrl("https://iam.invalid/scim")}`,
    check: "iam-name",
    verdict: "broken",
    says: /"iam\.invalid" has no address.*resolv\.conf/,
  },
  "nothing listens at the IAM's port": {
    script: atUrl("https://127.0.0.1:1/scim"),
    check: "iam-connection",
    verdict: "broken",
    says: /ECONNREFUSED.*port of iam\.url/,
  },
  "somebody listens there and never says a word": {
    iam: async () => {
      const sockets: Socket[] = [];
      const server = createServer((socket) => sockets.push(socket));
      const port = await listenOnLoopback(server);
      return {
        script: atUrl(`https://127.0.0.1:${port}/scim`),
        [Symbol.asyncDispose]: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            sockets.forEach((socket) => socket.destroy());
          }),
      };
    },
    check: "iam-tls",
    verdict: "broken",
    says: /the TLS handshake with 127\.0\.0\.1 gave no answer within 5 s/,
  },
  "the list of users never ends": {
    iam: misbehaving((request, response) => {
      const isIt = request.list === "Users";
      if (isIt) {
        response.writeHead(200, { "content-type": "application/scim+json" }).write("{");
      }
      return isIt;
    }),
    check: "users-list",
    verdict: "broken",
    says: /Users.*no answer/,
  },
  "the certificate is by an unknown authority": {
    script: `sed -i /caFile/d ${CONFIG}`,
    check: "iam-tls",
    verdict: "broken",
    says: /"test authority", an authority that this system does not have.*caFile: /,
  },
  "the certificate is for another name": {
    script: `sed -i 's|https://127.0.0.1|https://localhost|' ${CONFIG}`,
    check: "iam-tls",
    verdict: "broken",
    says: /for "IP Address:127\.0\.0\.1", not for "localhost"/,
  },
  "the certificate has expired": {
    iam: async ({ authority }) => {
      const old = await startFakeIam(USERS, GROUPS, { tls: authority.issue("old", ...LONG_AGO) });
      return { script: atUrl(old.url), [Symbol.asyncDispose]: () => old[Symbol.asyncDispose]() };
    },
    check: "iam-tls",
    verdict: "broken",
    says: /has expired on 2020-02-01/,
  },
  "the file of the authority holds no certificate": {
    script: "echo nothing > /etc/rollcall/ca.pem",
    check: "iam-tls",
    verdict: "broken",
    says: /ca\.pem for iam\.caFile holds no PEM block/,
  },
  "the token crosses the network in the clear": {
    iam: async () => {
      const plain = await startFakeIam(USERS, GROUPS);
      const url = plain.url.replace("127.0.0.1", "iam.example.org");
      return {
        script: `echo '127.0.0.1 iam.example.org' >> /etc/hosts; ${atUrl(url)}; sed -i 's/^iam:/iam:\\n  allowHttp: true/' ${CONFIG}`,
        [Symbol.asyncDispose]: () => plain[Symbol.asyncDispose](),
      };
    },
    check: "iam-tls",
    verdict: "warning",
    says: /in the clear/,
  },
  "the clocks differ": {
    iam: misbehaving((_request, response) => {
      response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
      return false;
    }),
    check: "iam-clock",
    verdict: "warning",
    says: /this node is 3[56]\d\d s behind the IAM.*timedatectl/,
  },
  "there is no token": {
    script: "rm /etc/rollcall/token",
    check: "token",
    verdict: "broken",
    says: /Reading the token file .*ENOENT/,
  },
  "others can read the token": {
    script: "chmod 644 /etc/rollcall/token",
    check: "token",
    verdict: "broken",
    says: /mode 0644.*chmod 0600/,
  },
  "the token is somebody else's": {
    script: "chown 4711 /etc/rollcall/token",
    check: "token",
    verdict: "broken",
    says: /belongs to uid 4711.*chown root/,
  },
  "the token file holds something else": {
    script: "chmod 600 /etc/rollcall/token; echo 'token = abc' > /etc/rollcall/token",
    check: "token",
    verdict: "broken",
    says: /no bearer token has/,
  },
  "the token is unknown to the IAM": {
    script: "echo another-token > /etc/rollcall/token",
    check: "token-accepted",
    verdict: "broken",
    says: /does not know it \(status 401/,
  },
  "the token may not read groups": {
    iam: misbehaving(
      (request, response) =>
        request.list === "Groups" && sendError(response, 403, `${TOKEN} may not do this`),
    ),
    check: "token-accepted",
    verdict: "broken",
    says: /may not read .*Groups.*status 403: "\[secret\] may not/,
  },
  "a login page answers": {
    iam: misbehaving((_request, response) =>
      Boolean(response.writeHead(200, { "content-type": "text/html" }).end(`<html>${TOKEN}</html>`)),
    ),
    check: "users-list",
    verdict: "broken",
    says: /HTML came, not SCIM: .*\[secret\].*path of iam\.url is wrong/,
    also: ["groups-list"],
  },
  "there is no list of groups": {
    iam: misbehaving((request, response) => request.list === "Groups" && sendError(response, 404, "none")),
    check: "groups-list",
    verdict: "broken",
    says: /no such list: status 404: "none".*iam\.groups\.path/,
  },
  "the IAM has moved": {
    iam: misbehaving((_request, response) =>
      Boolean(response.writeHead(302, { location: `/login?t=${TOKEN}` }).end()),
    ),
    check: "users-list",
    verdict: "broken",
    says: /elsewhere: status 302, location "\/login\?t=\[secret\]"/,
    also: ["groups-list"],
  },
  "JSON answers that is no SCIM": {
    iam: misbehaving((_request, response) => sendJson(response, { status: "ok" })),
    check: "users-list",
    verdict: "broken",
    says: /no ListResponse: schemas/,
    also: ["groups-list"],
  },
  "the lists are not whole": {
    iam: misbehaving((request, response, iam) => {
      const schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];
      const isIt = request.list === "Users";
      return (
        isIt &&
        sendJson(response, { schemas, totalResults: 7, Resources: request.startIndex === 1 ? iam.users : [] })
      );
    }),
    check: "lists",
    verdict: "broken",
    says: /totalResults is 7/,
  },
  "the token sees nobody": {
    iam: having([], []),
    check: "users-list",
    verdict: "warning",
    says: /ListResponse of nobody/,
    also: ["lists"],
  },
  "the path of the uid is wrong": {
    script: `sed -i 's|uid: .*uidNumber|uid: ${POSIX}:uidNumber|' ${CONFIG}`,
    check: "attributes",
    verdict: "broken",
    says: new RegExp(
      `0 of 2 records .*user\\.uid: .*These paths exist: for attributes\\.user\\.uid ${POSIX}/uidNumber, `,
    ),
    also: ["lists", "records"],
  },
  "the path of the keys is wrong": {
    script: `sed -i 's|keys: .*|keys: ${POSIX}/sshKey|' ${CONFIG}`,
    check: "attributes",
    verdict: "warning",
    says: /0 of 2 .*user\.keys: .*sshKeys, /,
  },
  "a record is refused": {
    iam: having([...USERS, aUser(3, { name: "root" })]),
    check: "records",
    verdict: "warning",
    says: /1 × .*\[name-reserved\]: user "root".*Rename it in the IAM/,
  },
  "a group of the configuration is misspelt": {
    script: `sed -i 's/research/reserch/' ${CONFIG}`,
    check: "named",
    verdict: "warning",
    says: /access\.login\.groups: "reserch" is not served here; did you mean "research"/,
    also: ["lists"],
  },
};

const IN_NAMES_AND_SSHD: Readonly<Record<string, Fault>> = {
  "nsswitch.conf does not name the cache": {
    script: "sed -i 's/ cache//' /etc/nsswitch.conf",
    check: "nsswitch",
    verdict: "broken",
    says: /the line passwd has no "cache".*rollcall setup/,
    also: NO_LOOKUP,
  },
  "the search ends before the cache": {
    script: "sed -i 's/^passwd:.*/passwd: files [NOTFOUND=return] cache/' /etc/nsswitch.conf",
    check: "nsswitch",
    verdict: "broken",
    says: /never reached in passwd/,
    also: NO_LOOKUP,
  },
  "glibc cannot read nsswitch.conf": {
    script: "sed -i 's/^group:.*/group: files [cache/' /etc/nsswitch.conf",
    check: "nsswitch",
    verdict: "broken",
    says: /cannot read the line group/,
    // sshd does not find its own user either.
    also: [...NO_LOOKUP, "sshd-config"],
  },
  "SSSD is asked first": {
    script: "sed -i 's/^passwd:.*/passwd: files sss cache/' /etc/nsswitch.conf",
    check: "resolvers",
    verdict: "warning",
    says: /sss is asked before "cache"/,
  },
  "the cache is asked before the local files": {
    script: "sed -i 's/^passwd:.*/passwd: cache files/' /etc/nsswitch.conf",
    check: "resolvers",
    verdict: "warning",
    says: /before "files"/,
  },
  "libnss-cache is not installed": {
    script: `mount --bind /dev/null ${LIBRARY}`,
    check: "libnss-cache",
    verdict: "broken",
    says: /nowhere that glibc looks.*install libnss-cache/,
    also: NO_LOOKUP,
  },
  "libnss-cache is for another machine": {
    script: `cp ${LIBRARY} /run/library; printf '\\001' | dd of=/run/library bs=1 seek=18 conv=notrunc status=none; mount --bind /run/library ${LIBRARY}`,
    check: "libnss-cache",
    verdict: "broken",
    says: /is not for this machine/,
    also: NO_LOOKUP,
  },
  "the maps are written where nobody reads them": {
    script: `${configured("caches: { directory: /var/maps }")}; mkdir /var/maps; rm /etc/*.cache; ${PROGRAM.join(" ")} sync > /dev/null`,
    check: "caches-directory",
    verdict: "broken",
    says: /reads "\/etc", and caches\.directory is "\/var\/maps"/,
    also: NO_LOOKUP,
  },
  "a local account hides somebody": {
    script: "echo 'ada:x:4711:4711::/:/bin/sh' >> /etc/passwd",
    check: "local-accounts",
    verdict: "warning",
    says: /ada \(uid 7001\)/,
  },
  "local accounts hide everybody": {
    script: "printf '%s:x:%s:1::/:/bin/sh\\n' ada 4711 bob 4712 >> /etc/passwd",
    check: "lookup-name",
    verdict: "broken",
    says: /"getent passwd ada" gives another uid, gid, .* than the map: "ada:x:4711/,
    also: ["lists", "records"],
  },
  "nscd runs": {
    script: `mkdir -p /run/nscd; touch /run/nscd/socket; cp "$(command -v sleep)" /run/nscd/nscd; /run/nscd/nscd 20 > /dev/null 2>&1 & trap "kill $!; rm -r /run/nscd" EXIT`,
    check: "name-caches",
    verdict: "warning",
    says: /nscd runs.*systemctl disable --now nscd/,
  },
  "sshd_config does not parse": {
    script: "echo 'Nonsense yes' >> /etc/ssh/sshd_config",
    check: "sshd-config",
    verdict: "broken",
    says: /sshd_config: line \d+: Bad configuration option: Nonsense/,
  },
  "sshd looks for keys in homes alone": {
    script: `rm ${DROP_IN}`,
    check: "sshd-keys",
    verdict: "broken",
    says: /leads to no file of \/etc\/ssh\/authorized_keys\.d.*rollcall setup/,
  },
  "a Match block takes the keys away": {
    script: `printf 'Match User ada,bob\\nAuthorizedKeysFile none\\n' >> /etc/ssh/sshd_config; sed -i '1{h;d};$G' /etc/ssh/sshd_config; ${sshd("Match User ada,bob", "AuthorizedKeysFile none", "Match all", OURS)}`,
    check: "sshd-keys",
    verdict: "broken",
    says: /AuthorizedKeysFile "none"/,
  },
  "keys let nobody in": {
    script: sshd(OURS, "PubkeyAuthentication no"),
    check: "sshd-keys",
    verdict: "broken",
    says: /PubkeyAuthentication is off/,
  },
  "the list of revoked keys is missing": {
    script: sshd(OURS, "RevokedKeys /etc/ssh/revoked"),
    check: "sshd-keys",
    verdict: "broken",
    says: /RevokedKeys "\/etc\/ssh\/revoked" is not there/,
  },
  "sshd wants a password beside the key": {
    script: sshd(OURS, "AuthenticationMethods publickey,password"),
    check: "sshd-keys",
    verdict: "warning",
    says: /a key alone lets nobody in/,
  },
  "another tool gives keys, too": {
    script: sshd(
      OURS,
      "AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys",
      "AuthorizedKeysCommandUser nobody",
    ),
    check: "sshd-keys",
    verdict: "warning",
    says: /sss_ssh_authorizedkeys.*which Rollcall cannot revoke/,
  },
  "others can write to the program that gives the keys": {
    script: `touch /etc/ssh/rollcall; chmod 775 /etc/ssh/rollcall; ${sshd("AuthorizedKeysFile none", "AuthorizedKeysCommand /etc/ssh/rollcall keys %u", "AuthorizedKeysCommandUser nobody")}`,
    check: "sshd-keys",
    verdict: "broken",
    says: /\/etc\/ssh\/rollcall belongs to uid 0 with mode 775/,
  },
  "StrictModes is off": {
    script: sshd(OURS, "StrictModes no"),
    check: "sshd-strict",
    verdict: "warning",
    says: /StrictModes is off/,
  },
  "UsePAM is off": {
    script: sshd(OURS, "UsePAM no"),
    check: "sshd-strict",
    verdict: "warning",
    says: /UsePAM is off/,
  },
  "sshd lets in root alone": {
    script: sshd(OURS, "AllowUsers root admin-*"),
    check: "sshd-allows",
    verdict: "broken",
    says: /AllowUsers shuts out 2 of 2/,
  },
  "sshd shuts a group out": {
    script: sshd(OURS, "DenyGroups rese?rch"),
    check: "sshd-allows",
    verdict: "broken",
    says: /DenyGroups shuts out 2 of 2/,
  },
  "sshd shuts one person out": {
    script: sshd(OURS, "DenyUsers bob"),
    check: "sshd-allows",
    verdict: "warning",
    says: /DenyUsers shuts out 1 of 2 .*bob/,
  },
  "PAM has a list of its own": {
    script:
      "echo 'account required pam_access.so' >> /etc/pam.d/common-account; echo '-:ALL EXCEPT root:ALL' >> /etc/security/access.conf",
    check: "pam",
    verdict: "warning",
    says: /pam_access.*1 line\(s\) in \/etc\/security\/access\.conf/,
  },
  "the door is shut for maintenance": {
    script: "touch /etc/nologin",
    check: "nologin",
    verdict: "broken",
    says: /\/etc\/nologin keeps everybody but root out.*rm \/etc\/nologin/,
  },
};

const IN_FILES_AND_ON_THE_HOST: Readonly<Record<string, Fault>> = {
  "others can write to the directory of the keys": {
    script: "chmod 777 /etc/ssh",
    check: "keys-directory",
    verdict: "broken",
    says: /\/etc\/ssh has mode 0777.*chmod go-w \/etc\/ssh/,
  },
  "the directory of the keys is somebody else's": {
    script: "chown 4711 /etc/ssh",
    check: "keys-directory",
    verdict: "broken",
    says: /\/etc\/ssh belongs to uid 4711.*chown root \/etc\/ssh/,
  },
  "nobody may enter the directory of the keys": {
    script: "chmod 700 /etc/ssh",
    check: "keys-directory",
    verdict: "broken",
    says: /cannot enter it/,
  },
  "the directory of the keys is gone": {
    script: "rm -r /etc/ssh/authorized_keys.d",
    check: "keys-directory",
    verdict: "broken",
    says: /is missing.*rollcall sync/,
  },
  "a key file was edited": {
    script: "echo '# mine' >> /etc/ssh/authorized_keys.d/ada",
    check: "published",
    verdict: "warning",
    says: /authorized_keys\.d\/ada" \(changed\)/,
  },
  "the map of users is gone": {
    script: "rm /etc/passwd.cache",
    check: "published",
    verdict: "warning",
    says: /passwd\.cache" \(deleted\)/,
    also: ["last-sync"],
  },
  "nothing was ever published": {
    script: "rm -r /etc/*.cache /etc/ssh/authorized_keys.d /var/lib/rollcall",
    check: "published",
    verdict: "broken",
    says: /nothing was published/,
    also: ["keys-directory", "last-sync"],
  },
  "/etc is read-only": {
    script: "mount -o remount,ro /etc",
    check: "writable",
    verdict: "broken",
    says: /\/etc: "the file system is mounted read-only/,
  },
  "no further file fits": {
    script: "mkdir /var/few; mount -t tmpfs -o nr_inodes=20,mode=0755 tmpfs /home",
    check: "disk-space",
    verdict: "warning",
    says: /\/home: .* files left/,
  },
  "the place of homes is missing": {
    script: configured('homes: { path: "/home/site/%u", under: [/home] }'),
    check: "home-places",
    verdict: "broken",
    says: /\/home\/site: .*does not exist/,
  },
  "others can write to the place of homes": {
    script: "chmod 777 /home",
    check: "home-places",
    verdict: "broken",
    says: /\/home belongs to uid 0 with mode 0777/,
  },
  "homes are read-only": {
    script: "mount -o remount,ro /home",
    check: "home-places",
    verdict: "broken",
    says: /\/home: the file system is mounted read-only/,
  },
  "a file server hangs under the homes": {
    script: `mkdir /home/site; ${configured('homes: { path: "/home/site/%u" }')}
python3 /run/test/rollcall/test/support/hang.py /home/site > /var/said & trap "kill $!" EXIT
until grep -q hanging /var/said; do sleep 0.1; done`,
    check: "home-places",
    verdict: "broken",
    says: /\/home\/site gave no answer within 5 s.*file server/,
  },
  "there is no skeleton": {
    script: "rm -r /etc/skel",
    check: "skeleton",
    verdict: "warning",
    says: /no \/etc\/skel/,
  },
  "others can write to the skeleton": {
    script: "chmod 666 /etc/skel/.bashrc",
    check: "skeleton",
    verdict: "broken",
    says: /others can write to \/etc\/skel/,
  },
  "the default shell is not installed": {
    script: configured("shells: { default: /usr/bin/fancy }"),
    check: "shell",
    verdict: "broken",
    says: /\/usr\/bin\/fancy is not installed/,
  },
  "the default shell is not listed": {
    script: "sed -i '/bash/d' /etc/shells",
    check: "shell",
    verdict: "warning",
    says: /\/bin\/bash is not in \/etc\/shells/,
  },
  "the last sync was refused": {
    script: `cp -a /etc/rollcall/token /etc/rollcall/kept; echo another-token > /etc/rollcall/token; ${PROGRAM.join(" ")} sync > /dev/null 2>&1 || true; mv /etc/rollcall/kept /etc/rollcall/token`,
    check: "last-sync",
    verdict: "warning",
    says: /\[iam-refused\].*Renew the token/,
  },
  "nsscache writes the same maps": {
    script: "mkdir -p /etc/cron.d; echo '* * * * * root /usr/bin/nsscache update' > /etc/cron.d/nsscache",
    check: "writers",
    verdict: "warning",
    says: /\/etc\/cron\.d\/nsscache/,
  },
};

/** A node for each table: one lives for five minutes. */
const TABLES = { ON_THE_WAY_TO_THE_IAM, IN_NAMES_AND_SSHD, IN_FILES_AND_ON_THE_HOST };

for (const [table, faults] of Object.entries(TABLES)) {
  describe(`the doctor, ${table.toLowerCase().replaceAll("_", " ")}, finds it when`, { skip }, () => {
    let healthy: DoctorNode;
    before(async () => {
      healthy = await startDoctorNode();
    });
    after(() => healthy[Symbol.asyncDispose]());

    for (const [name, fault] of Object.entries(faults)) {
      it(name, async () => {
        Object.assign(healthy.iam, { misbehave: undefined, users: [...USERS], groups: [...GROUPS] });
        const prepared = await fault.iam?.(healthy);

        const examined = await healthy.examine([fault.script, prepared?.script].filter(Boolean).join("\n"));

        await prepared?.[Symbol.asyncDispose]();
        judge(examined, fault);
      });
    }
  });
}

function judge(examined: Examined, { check, verdict, says, also = [] }: Fault): void {
  const found = examined.checks.get(check);
  const everything = [...examined.checks.values()].map((one) => JSON.stringify(one)).join("\n");
  assert.equal(found?.verdict, verdict, everything);
  assert.match(`${found.found} ${found.remedy ?? ""}`, says);
  assert.deepEqual(
    idsWith(examined, "broken").sort(),
    [...(verdict === "broken" ? [check] : []), ...also].sort(),
    everything,
  );
  assert.equal(examined.code, verdict === "broken" || also.length > 0 ? 1 : 0);
  assert.ok(!`${examined.out}${examined.err}`.includes(TOKEN), "the token is printed");
}
