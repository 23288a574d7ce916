/**
 * Slurm's accounts beside a real Slurm, of two versions: munge, MariaDB, slurmdbd, slurmctld and slurmd in namespaces.
 *
 * An organisation of 500 people in 12 groups lives through a few days on one cluster. After each of them Slurm has exactly
 * what it should have, and what was made by hand is as it was.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type FakeIam, type Resource, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { PROGRAM } from "../support/namespace.ts";
import { configFor, type Ran } from "../support/node-root.ts";
import { aGroup, aUser, someUsers } from "../support/records.ts";
import { missingSlurm, type SlurmCluster, startSlurm } from "../support/slurm-cluster.ts";

const PEOPLE = 500;
/** Patient, because a database that stores nothing for ten seconds is nothing to fail for; the troubles are less so. */
const RULES = `slurm:
  enabled: true
  timeout: 60s
  accounts:
    - { account: nlp, group: research-nlp, parent: research, fairshare: 20, qos: [normal, high], defaultQos: normal }
    - { account: $1, match: "slurm-(.*)" }
    - { account: research, fairshare: 40 }
    - { account: lab, group: research-lab }
    - { account: users, everybody: true }
  adminLevel: { operator: [ops], administrator: [hpc-admins] }
`;

/** By group, the numbers of its members. */
type Groups = Readonly<Record<string, readonly number[]>>;

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, nth) => from + nth);
const GROUPS: Groups = {
  "research-nlp": range(1, 60),
  "research-lab": range(400, 410),
  ...Object.fromEntries(
    range(1, 8).map((nth) => [`slurm-team${nth}`, range(nth * 50, nth * 50 + 49)] as const),
  ),
  ops: [1, 2],
  "hpc-admins": [3],
};

const gids = new Map<string, number>();

function gidOf(group: string): number {
  const gid = gids.get(group) ?? 50_000 + gids.size;
  gids.set(group, gid);
  return gid;
}

function groupRecords(groups: Groups): Resource[] {
  return Object.entries(groups).map(([name, members], nth) =>
    aGroup(
      nth,
      members.map((member) => `u-${member}`),
      { name, id: `g-${name}`, gid: gidOf(name) },
    ),
  );
}

const SSHD = `Port 22
ListenAddress 127.0.0.1
HostKey /run/test/host
PidFile none
UsePAM yes
AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u
`;

/** What the state of one cluster is asserted by. */
interface Site extends AsyncDisposable {
  readonly cluster: SlurmCluster;
  readonly iam: FakeIam;
  people: Resource[];
  groups: Groups;
  /** Puts people and groups into the IAM and syncs; the record, and how it ended. */
  sync(...options: string[]): Promise<Synced>;
  /** Rows of `sacctmgr show`, sorted. */
  show(...args: string[]): Promise<string[]>;
}

interface Synced {
  readonly code: number | null;
  readonly seconds: number;
  readonly record: {
    readonly slurm: {
      readonly changes: number;
      readonly commands: number;
      readonly seconds: number;
      readonly failure: { readonly code: string; readonly message: string } | null;
    };
    readonly problems: readonly { readonly code: string; readonly reason: string }[];
  };
}

async function startSite(suite: "bookworm" | "trixie"): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const iam = stack.use(await startFakeIam([], []));
  const cluster = stack.use(await startSlurm(suite));
  await cluster.write("/etc/rollcall/token", TOKEN, 0o600);
  await cluster.reach(iam.url);
  await cluster.write("/etc/rollcall/rollcall.yaml", configFor(iam.url, RULES));
  await cluster.write("/run/test/sshd_config", SSHD);
  for (const key of ["host", "key0"]) {
    await cluster.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", `/run/test/${key}`);
  }
  const sshd = stack.use(cluster.start("/usr/sbin/sshd", "-D", "-e", "-f", "/run/test/sshd_config"));
  await sshd.printed("Server listening");
  const cleanup = stack.move();
  const site: Site = {
    cluster,
    iam,
    people: someUsers(PEOPLE),
    groups: GROUPS,
    async sync(...options) {
      iam.users = site.people;
      iam.groups = groupRecords(site.groups);
      const start = performance.now();
      const ran = await cluster.rollcall("sync", "--json", ...options);
      return { code: ran.code, seconds: (performance.now() - start) / 1000, record: JSON.parse(ran.out) };
    },
    show: async (...args) => {
      const ran = await cluster.run("sacctmgr", "-nP", "show", ...args);
      assert.equal(ran.code, 0, ran.err);
      return ran.out.split("\n").filter(Boolean).sort();
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
  return site;
}

/** Everything Slurm knows of accounts and users, with the limits that only a hand can set. */
async function everythingIn(site: Site): Promise<string[]> {
  return [
    ...(await site.show("assoc", "format=account,user,share,parentname,grpjobs,maxjobs,defaultqos,qos")),
    ...(await site.show("user", "format=user,defaultaccount,adminlevel")),
  ];
}

const HAND = ["add account hand fairshare=7 grpjobs=9", "add account lab maxjobs=4 fairshare=5"];
const HAND_USERS = ["add user byhand account=hand maxjobs=3", "add user user500 account=hand maxjobs=2"];

const isByHand = (row: string) => /^(?:hand\||lab\|\||byhand\|)/.test(row);

function accountsOf(site: Site, user: string): Promise<string[]> {
  return site.show("assoc", `user=${user}`, "format=account");
}

interface Trouble {
  readonly code: string;
  readonly harm: (cluster: SlurmCluster) => Promise<unknown>;
  readonly mend: (cluster: SlurmCluster) => Promise<unknown>;
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "slurmdbd is stopped": {
    code: "slurm-unanswered",
    harm: (cluster) => cluster.stopDaemon("slurmdbd"),
    mend: (cluster) => cluster.startDaemon("slurmdbd"),
  },
  "slurmdbd hangs": {
    code: "slurm-unanswered",
    harm: (cluster) => cluster.freeze("slurmdbd"),
    mend: (cluster) => cluster.thaw("slurmdbd"),
  },
  "munge hangs": {
    code: "slurm-unanswered",
    harm: (cluster) => cluster.freeze("munged"),
    mend: (cluster) => cluster.thaw("munged"),
  },
  "this node is no admin of Slurm": {
    code: "slurm-denied",
    harm: (cluster) => cluster.run("sh", "-euc", NO_ADMIN),
    mend: (cluster) => cluster.run("mv", "/usr/bin/sacctmgr.real", "/usr/bin/sacctmgr"),
  },
  "there is no sacctmgr": {
    code: "slurm-missing",
    harm: (cluster) => cluster.run("mv", "/usr/bin/sacctmgr", "/usr/bin/sacctmgr.real"),
    mend: (cluster) => cluster.run("mv", "/usr/bin/sacctmgr.real", "/usr/bin/sacctmgr"),
  },
};

/** The real sacctmgr, as somebody whom Slurm lets look and change nothing. */
const NO_ADMIN = `
mv /usr/bin/sacctmgr /usr/bin/sacctmgr.real
printf '#!/bin/sh\nexec setpriv --reuid=nobody --regid=nogroup --clear-groups /usr/bin/sacctmgr.real "$@"\n' > /usr/bin/sacctmgr
chmod 755 /usr/bin/sacctmgr
`;

/** A node with files of its own, beside the first one. */
const SECOND_NODE = `
mount --bind /run/second /etc
for place in /run/rollcall /var/lib/rollcall /home; do mount -t tmpfs -o mode=0755 tmpfs $place; done
exec "$0" "$@"
`;

/** Waits until a command has printed what it should. */
async function until(site: Site, command: readonly [string, ...string[]], holds: (out: string) => boolean) {
  let out = "";
  for (let polls = 0; polls < MAX_POLLS; polls += 1) {
    out = (await site.cluster.run(...command)).out.trim();
    if (holds(out)) {
      return;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${command.join(" ")} still prints ${JSON.stringify(out)}`);
}

const stateOf = (job: string) => ["squeue", "-h", "-j", job, "-o", "%T"] as const;

async function untilRunning(site: Site, job: string): Promise<void> {
  await until(site, stateOf(job), (state) => state === "RUNNING");
}

async function untilGone(site: Site, job: string): Promise<void> {
  await until(site, stateOf(job), (state) => !["RUNNING", "PENDING", "COMPLETING"].includes(state));
}

/** slurmdbd hears of a job a little later than slurmctld. */
async function untilKnown(site: Site, job: string): Promise<void> {
  await until(site, ["sacct", "-anPX", "-j", job, "-o", "jobid"], (out) => out === job);
}

const MAX_POLLS = 100;
const POLL_MS = 100;

async function newKey({ cluster }: Site, name: string): Promise<string> {
  await cluster.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", `/run/test/${name}`);
  return (await cluster.read(`/run/test/${name}.pub`)).trim();
}

/** Whether user30 gets in at the real sshd. */
async function mayLogIn({ cluster }: Site, key: string): Promise<boolean> {
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "LogLevel=ERROR"];
  const args = [...options.flatMap((option) => ["-o", option]), "-i", `/run/test/${key}`];
  const { code, err } = await cluster.run("ssh", ...args, "user30@127.0.0.1", "true");
  assert.ok(code === 0 || err.includes("Permission denied"), err);
  return code === 0;
}

/** The id in the command that a refusal names. */
function acceptedBy({ record }: Synced): string {
  const message = record.slurm.failure?.message ?? "";
  return /--accept-removals ([0-9a-f]{12})/.exec(message)?.[1] ?? assert.fail(message);
}

async function conditionsOf({ cluster }: Site): Promise<string[]> {
  const { out } = await cluster.rollcall("status", "--json");
  return JSON.parse(out).conditions.map(({ code }: { readonly code: string }) => code);
}

async function asUser({ cluster }: Site, user: string, command: string): Promise<Ran> {
  return cluster.run("runuser", "-u", user, "--", "sh", "-c", `cd /; ${command}`);
}

const reasonsOf = ({ record }: Synced) => record.problems.map(({ reason }) => reason).join("\n");

const MINUTES = { timeout: 300_000 };
const skip = missingSlurm();

const SUITES = ["bookworm", "trixie"] as const;
for (const suite of SUITES) {
  describe(`Slurm as in ${suite}`, { skip, ...MINUTES }, () => {
    let site: Site;
    let byHand: readonly string[];

    before(async () => {
      site = await startSite(suite);
      for (const words of [...HAND, ...HAND_USERS]) {
        const ran = await site.cluster.run("sacctmgr", "-i", ...words.split(" "));
        assert.equal(ran.code, 0, ran.out + ran.err);
      }
      byHand = (await everythingIn(site)).filter(isByHand);
      assert.equal(byHand.length, 5, byHand.join("\n"));
    }, MINUTES);
    after(() => site?.[Symbol.asyncDispose]());

    it("has accounts, users, fairshare, QOS, defaults and admin levels after one sync", async () => {
      const { code, record } = await site.sync();
      const associations = await site.show("assoc", "format=account,user,share,parentname,defaultqos,qos");
      const users = await site.show("user", "format=user,defaultaccount,adminlevel");
      const { commands, seconds, changes, failure } = record.slurm;
      console.log(
        `      Slurm ${site.cluster.version}: ${changes} changes, ${commands} commands, ${seconds} s`,
      );

      assert.equal(failure, null);
      assert.equal(code, 0);
      assert.ok(associations.includes("nlp||20|research|normal|high,normal"));
      assert.ok(associations.includes("research||40|root||normal"));
      assert.equal(associations.filter((row) => row.startsWith("users|user")).length, PEOPLE);
      assert.equal(associations.filter((row) => row.startsWith("nlp|user")).length, 60);
      assert.equal(associations.filter((row) => row.startsWith("team3|user")).length, 50);
      assert.equal(associations.filter((row) => row.startsWith("lab|user")).length, 11);
      assert.ok(users.includes("user1|nlp|Operator"));
      assert.ok(users.includes("user3|nlp|Administrator"));
      assert.ok(users.includes("user100|team2|None"));
      assert.ok(users.includes("user499|users|None"));
    });

    it("is left as it is by a second sync", async () => {
      const before = await everythingIn(site);
      const { code, record } = await site.sync();

      assert.equal(code, 0);
      assert.equal(record.slurm.changes, 0);
      assert.equal(record.slurm.commands, 4);
      assert.deepEqual(await everythingIn(site), before);
    });

    it("runs jobs of whoever is served, and of nobody without an association", async () => {
      const inside = await asUser(site, "user1", "srun id -un");
      await site.cluster.run("useradd", "-m", "outsider");
      const outside = await asUser(site, "outsider", "srun id -un");

      assert.equal(inside.out.trim(), "user1", inside.err);
      assert.notEqual(outside.code, 0);
      assert.match(outside.err, /Invalid account or account\/partition combination/);
    });

    it("moves somebody with the groups", async () => {
      site.groups = { ...site.groups, "research-nlp": range(2, 60), "slurm-team8": [1, ...range(400, 449)] };
      const { record } = await site.sync();

      assert.equal(record.slurm.failure, null);
      assert.deepEqual(await accountsOf(site, "user1"), ["team8", "users"]);
      const { code, out } = await site.cluster.rollcall("explain", "user1");
      assert.equal(code, 0, out);
      assert.match(out, /✓ slurm +in team8 \(default\), users; AdminLevel Operator/);
      assert.ok(
        (await site.show("user", "format=user,defaultaccount,adminlevel")).includes("user1|team8|Operator"),
      );
    });

    it("sets an account right whose rule was changed", async () => {
      const config = await site.cluster.read("/etc/rollcall/rollcall.yaml");
      const rule = "fairshare: 30, qos: [high], defaultQos: high";
      await site.cluster.write(
        "/etc/rollcall/rollcall.yaml",
        config.replace("fairshare: 20, qos: [normal, high], defaultQos: normal", rule),
      );
      const { record } = await site.sync();
      const changed = await site.show("assoc", "format=account,user,share,parentname,defaultqos,qos");
      await site.cluster.write("/etc/rollcall/rollcall.yaml", config);
      const back = await site.sync();

      assert.equal(record.slurm.failure, null);
      assert.ok(
        changed.includes("nlp||30|research|high|high"),
        changed.filter((row) => row.startsWith("nlp||")).join(),
      );
      assert.equal(back.record.slurm.failure, null);
      assert.ok(
        (await site.show("assoc", "format=account,user,share,parentname,defaultqos,qos")).includes(
          "nlp||20|research|normal|high,normal",
        ),
      );
    });

    it("loses the account of a group that is gone, and nobody's others", async () => {
      const { "slurm-team7": _gone, ...rest } = site.groups;
      site.groups = rest;
      const { record } = await site.sync();

      assert.equal(record.slurm.failure, null);
      assert.deepEqual(await accountsOf(site, "user360"), ["users"]);
      assert.deepEqual(await site.show("account", "name=team7", "format=account"), []);
    });

    it("keeps whoever has a job until it has ended, and says which", async () => {
      const { out: job, err } = await asUser(
        site,
        "user10",
        "sbatch --parsable --wrap 'sleep 200' -o /dev/null",
      );
      assert.match(job, /^\d+\n$/, err);
      await untilRunning(site, job.trim());
      site.people = site.people.map((one, nth) => (nth === 9 ? aUser(10, { active: false }) : one));
      const kept = await site.sync();
      const during = await accountsOf(site, "user10");
      await site.cluster.run("scancel", job.trim());
      await untilGone(site, job.trim());
      const gone = await site.sync();
      const { out: history } = await site.cluster.run(
        "sacct",
        "-anPX",
        "-j",
        job.trim(),
        "-o",
        "jobid,account",
      );

      assert.equal(kept.record.slurm.failure, null);
      assert.match(
        reasonsOf(kept),
        new RegExp(`stays in the account nlp while jobs have not ended: ${job.trim()}`),
      );
      assert.deepEqual(during, ["nlp"]);
      assert.equal(gone.record.slurm.failure, null);
      assert.deepEqual(await accountsOf(site, "user10"), []);
      assert.equal(history.trim(), `${job.trim()}|nlp`);
    });

    it("keeps whoever has a job that is held, and nobody else of those who leave with them", async () => {
      const { out: job } = await asUser(site, "user12", "sbatch --parsable -H --wrap 'sleep 1' -o /dev/null");
      await untilKnown(site, job.trim());
      const leavers = new Set([12, 13, 14]);
      site.people = site.people.map((one, nth) =>
        leavers.has(nth + 1) ? aUser(nth + 1, { active: false }) : one,
      );
      const synced = await site.sync();
      const left = await Promise.all(["user12", "user13", "user14"].map((user) => accountsOf(site, user)));
      await site.cluster.run("scancel", job.trim());
      await untilGone(site, job.trim());
      const gone = await site.sync();

      assert.equal(synced.record.slurm.failure, null);
      assert.match(reasonsOf(synced), new RegExp(`while jobs have not ended: ${job.trim()}`));
      assert.deepEqual(left, [["nlp"], [], []]);
      assert.equal(gone.record.slurm.failure, null);
      assert.deepEqual(await accountsOf(site, "user12"), []);
    });

    it("cancels the jobs where the admin has asked for it", async () => {
      const config = await site.cluster.read("/etc/rollcall/rollcall.yaml");
      await site.cluster.write("/etc/rollcall/rollcall.yaml", `${config}  cancelJobs: true\n`);
      const { out: job } = await asUser(site, "user11", "sbatch --parsable --wrap 'sleep 200' -o /dev/null");
      await untilRunning(site, job.trim());
      site.people = site.people.map((one, nth) => (nth === 10 ? aUser(11, { active: false }) : one));
      const first = await site.sync();
      const { out: left } = await site.cluster.run("squeue", "-h", "-j", job.trim());
      // Slurm's own news of the end may come late, and in the wrong order.
      for (let syncs = 0; syncs < 5 && (await accountsOf(site, "user11")).length > 0; syncs += 1) {
        await site.sync();
      }
      await site.cluster.write("/etc/rollcall/rollcall.yaml", config);

      assert.equal(first.record.slurm.failure, null);
      assert.equal(left, "");
      assert.deepEqual(await accountsOf(site, "user11"), []);
    });

    it("follows a new name", async () => {
      site.people = site.people.map((one, nth) => (nth === 19 ? aUser(20, { name: "renamed" }) : one));
      const { record } = await site.sync();

      assert.equal(record.slurm.failure, null);
      assert.deepEqual(await accountsOf(site, "renamed"), ["nlp", "users"]);
      assert.deepEqual(await accountsOf(site, "user20"), []);
    });

    it("asks a person before many lose their last account, and lets through exactly what they agreed to", async () => {
      const before = await everythingIn(site);
      const config = await site.cluster.read("/etc/rollcall/rollcall.yaml");
      const { people } = site;
      await site.cluster.write(
        "/etc/rollcall/rollcall.yaml",
        config.replace("everybody: true", "everybody: false"),
      );
      const refused = await site.sync();
      site.people = people.map((one, nth) => (nth === 30 ? aUser(31, { active: false }) : one));
      const other = await site.sync("--accept-removals", acceptedBy(refused));
      const untouched = await everythingIn(site);
      site.people = people;
      const agreed = await site.sync("--accept-removals", acceptedBy(refused));
      const without = await accountsOf(site, "user499");
      await site.cluster.write("/etc/rollcall/rollcall.yaml", config);
      const back = await site.sync();

      assert.equal(refused.record.slurm.failure?.code, "slurm-removals-refused");
      assert.equal(other.record.slurm.failure?.code, "slurm-removals-refused");
      assert.deepEqual(untouched, before);
      assert.equal(agreed.record.slurm.failure, null);
      assert.deepEqual(without, []);
      assert.equal(back.record.slurm.failure, null);
      assert.deepEqual(await everythingIn(site), before);
    });

    for (const [trouble, { code, harm, mend }] of Object.entries(TROUBLES)) {
      it(`harms no login while ${trouble}, and is clear afterwards`, async () => {
        const nth = Object.keys(TROUBLES).indexOf(trouble);
        const key = await newKey(site, `key${nth + 1}`);
        site.groups = { ...site.groups, [`slurm-new${nth}`]: [1] };
        site.people = [...site.people.slice(0, 29), aUser(30, { keys: [key] }), ...site.people.slice(30)];
        const config = await site.cluster.read("/etc/rollcall/rollcall.yaml");
        await site.cluster.write("/etc/rollcall/rollcall.yaml", config.replace("60s", "10s"));
        await harm(site.cluster);
        const during = await site.sync();
        const raised = await conditionsOf(site);
        const logins = [await mayLogIn(site, `key${nth + 1}`), await mayLogIn(site, `key${nth}`)];
        await mend(site.cluster);
        await site.cluster.write("/etc/rollcall/rollcall.yaml", config);
        const afterwards = await site.sync();
        const cleared = await conditionsOf(site);
        console.log(
          `      ${trouble}: ${during.record.slurm.failure?.code}, ${during.record.slurm.seconds} s`,
        );

        assert.equal(during.code, 1);
        assert.equal(during.record.slurm.failure?.code, code, during.record.slurm.failure?.message);
        assert.ok(during.record.slurm.seconds < 20);
        assert.ok(raised.includes(code), raised.join());
        assert.deepEqual(
          cleared.filter((one) => one.startsWith("slurm-")),
          [],
        );
        assert.deepEqual(logins, [true, false], "the new key, and the old one");
        assert.equal(afterwards.code, 0);
        assert.equal(afterwards.record.slurm.failure, null);
      });
    }

    it("takes no harm from two nodes that do the same at once", async () => {
      const { cluster } = site;
      site.groups = { ...site.groups, "slurm-both": range(60, 119) };
      site.iam.groups = groupRecords(site.groups);
      await cluster.run("sh", "-euc", "cp -a /etc /run/second");
      const second = ["unshare", "-m", "sh", "-euc", SECOND_NODE, ...PROGRAM, "sync", "--json"] as const;
      const [one, two] = await Promise.all([cluster.rollcall("sync", "--json"), cluster.run(...second)]);
      const after = await site.sync();

      assert.deepEqual([one.code, two.code], [0, 0], one.err + two.err);
      assert.equal(JSON.parse(one.out).slurm.failure, null);
      assert.equal(JSON.parse(two.out).slurm.failure, null);
      assert.equal(after.record.slurm.changes, 0);
      assert.deepEqual(
        (await site.show("assoc", "format=account,user")).filter((row) => row.startsWith("both|u")).length,
        60,
      );
    });

    it("has what was made by hand as it was, after all of it", async () => {
      assert.deepEqual((await everythingIn(site)).filter(isByHand), byHand);
    });
  });
}
