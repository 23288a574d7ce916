/**
 * Asks sshd itself what is in force, and reads what else decides about a login.
 */

import type { Settings } from "../config/settings.ts";
import { type Fact, failed, known, unknown, valueOf } from "../doctor/finding.ts";
import type { ConfinementFacts, PamFacts, SshdFacts } from "../doctor/sshd.ts";
import { parseAccountLines } from "../formats/pam.ts";
import { parseSshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { runTool } from "../platform/child.ts";
import { underRoot } from "../platform/files.ts";
import { isThere, programFault, readBounded, wayTo } from "../platform/node-look.ts";
import { isRoot } from "../platform/privileges.ts";
import { readSshdSettings, type SshdAnswer, type SshdQuestion, testSshd } from "../platform/sshd.ts";
import { factOf, LOOK_MS, NEEDS_ROOT, OTHER_ROOT } from "./doctor-look.ts";
import type { MapsLook } from "./doctor-maps.ts";

const SSHD_MS = 8000;

/** What is known already. */
interface Around {
  readonly root: string;
  readonly maps: Fact<MapsLook>;
  readonly configPath: string;
}

/** Everything about sshd. */
export async function lookAtSshd(
  { keys, caches }: Settings,
  { root, maps, configPath }: Around,
): Promise<SshdFacts> {
  const user = valueOf(maps)?.logins[0]?.name;
  const look = <Value>(what: string, look: () => Promise<Value>) => factOf({ what, limitMs: LOOK_MS, look });
  const settings = await settingsFor(user, root);
  return {
    fault: await faultOf(root),
    settings,
    keysDirectory: keys.directory,
    keyFiles: keys.files,
    commandFault: await look("looking at AuthorizedKeysCommand", async () => {
      const command = settingOf(valueOf(settings)?.settings ?? new Map(), "AuthorizedKeysCommand") ?? "none";
      const program = command.split(" ", 1)[0] ?? "";
      return program.startsWith("/") ? programFault(root, program) : undefined;
    }),
    commandLacks: await look("looking at what AuthorizedKeysCommand reads", async () => {
      const map = underRoot(root, `${caches.directory}/sshkey.cache`);
      return keys.files ? undefined : ((await closedAt(configPath)) ?? (await closedAt(map)));
    }),
    missingRevocations: await look("looking at RevokedKeys", async () => {
      const path = settingOf(valueOf(settings)?.settings ?? new Map(), "RevokedKeys") ?? "none";
      return path.startsWith("/") && !(await isThere(underRoot(root, path))) ? path : undefined;
    }),
    people: maps.known ? known(maps.value.logins) : maps,
    pam: await look("reading /etc/pam.d", () => readPam(root)),
    nologin: await look("looking for nologin files", () => findNologin(root)),
    confinement: await look("asking what confines sshd", () => readConfinement(root, keys.directory)),
  };
}

/** The file, or a directory above it, that others cannot read or pass through. */
async function closedAt(path: string): Promise<string | undefined> {
  const way = (await wayTo("/", path)) ?? [];
  return way.find(({ mode }, nth) => (mode & (nth === 0 ? 0o004 : 0o001)) === 0)?.path;
}

async function faultOf(root: string): Promise<SshdFacts["fault"]> {
  const answer = await ask(root, testSshd, {});
  if (!answer.known) {
    return answer;
  }
  return known(answer.value.ok ? undefined : answer.value.said);
}

async function settingsFor(user: string | undefined, root: string): Promise<SshdFacts["settings"]> {
  const connection = user === undefined ? undefined : { user, host: "localhost", address: "127.0.0.1" };
  const answer = await ask(root, readSshdSettings, { connection });
  if (!answer.known) {
    return answer;
  }
  return answer.value.ok
    ? known({ user, settings: parseSshdSettings(answer.value.out) })
    : unknown("sshd does not say what is in force");
}

/** It reads the host keys, which are root's alone. */
async function ask(
  root: string,
  question: (about: SshdQuestion) => Promise<SshdAnswer>,
  about: SshdQuestion,
): Promise<Fact<SshdAnswer>> {
  if (root !== "/" || !isRoot()) {
    return unknown(root === "/" ? NEEDS_ROOT : OTHER_ROOT);
  }
  const answer = await factOf({
    what: "sshd, asked for its settings,",
    limitMs: SSHD_MS,
    look: () => question({ ...about, onlyLooks: true }),
  });
  if (!answer.known || answer.value.ok) {
    return answer;
  }
  if (answer.value.why === "absent") {
    return failed("there is no /usr/sbin/sshd, so nobody can log in over the network");
  }
  return answer.value.why === "refused" && MISSING.test(answer.value.said)
    ? failed(
        `${answer.value.said.trim()}: sshd has not been started since this node is up (systemctl start ssh)`,
      )
    : answer;
}

const MISSING = /^Missing privilege separation directory/;

const MAX_INCLUDES = 20;

async function readPam(root: string): Promise<PamFacts> {
  const pending = ["sshd"];
  const modules: string[] = [];
  let isFirst = true;
  for (let files = 0; files < MAX_INCLUDES && pending.length > 0; files += 1) {
    const service = pending.shift() ?? "";
    const text = await readBounded(
      underRoot(root, service.startsWith("/") ? service : `/etc/pam.d/${service}`),
    );
    if (isFirst && text === undefined) {
      return { isThere: false, accountModules: [], accessRules: 0 };
    }
    isFirst = false;
    for (const line of parseAccountLines(text ?? "")) {
      if (line.kind === "include") {
        pending.push(line.service);
      } else {
        modules.push(line.module);
      }
    }
  }
  const rules = (await readBounded(underRoot(root, "/etc/security/access.conf"))) ?? "";
  const accessRules = rules.split("\n").filter((line) => /^\s*[-+]/.test(line)).length;
  return { isThere: true, accountModules: modules, accessRules };
}

async function findNologin(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of ["/etc/nologin", "/run/nologin", "/var/run/nologin"]) {
    const isTwin = path.startsWith("/var/") && found.includes("/run/nologin");
    if (!isTwin && (await isThere(underRoot(root, path)))) {
      found.push(path);
    }
  }
  return found;
}

async function readConfinement(root: string, keysDirectory: string): Promise<ConfinementFacts> {
  const isHere = root === "/";
  const enforcing = isHere ? await readBounded("/sys/fs/selinux/enforce") : undefined;
  const isSelinuxEnforcing = enforcing?.startsWith("1") === true;
  const profiles = isHere ? ((await readBounded("/sys/kernel/security/apparmor/profiles")) ?? "") : "";
  return {
    isSelinuxEnforcing,
    keysType: isSelinuxEnforcing ? await typeOf(keysDirectory) : undefined,
    profiles: profiles.split("\n").filter((line) => /\bsshd\b.*\(enforce\)/.test(line)),
  };
}

/** `system_u:object_r:etc_t:s0` is of the type `etc_t`. */
async function typeOf(path: string): Promise<string | undefined> {
  const { out } = await runTool({ program: "stat", args: ["-c", "%C", path] }, 3000);
  return out.trim().split(":")[2];
}
