/**
 * Whether sshd reads the keys, and lets in whom Rollcall serves.
 */

import { type SshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { quoted } from "../model/quoted.ts";
import { about, broken, type Fact, type Finding, notChecked, ok, someOf, warning } from "./finding.ts";
import { type Login, whyShut } from "./ssh-patterns.ts";

/** What sshd says of itself, and what else decides. */
export interface SshdFacts {
  /** Why its configuration is not sound, in its own words; undefined when it is. */
  readonly fault: Fact<string | undefined>;
  /** As they are for somebody who is served, so that Match blocks count; `user` is undefined where nobody is. */
  readonly settings: Fact<{ readonly user: string | undefined; readonly settings: SshdSettings }>;
  readonly keysDirectory: string;
  /** keys.files: whether sshd reads a file per user, or asks. */
  readonly keyFiles: boolean;
  /** What is wrong with the program of AuthorizedKeysCommand; undefined for nothing. */
  readonly commandFault: Fact<string | undefined>;
  /** What that program needs and not everybody can read, where there are no key files; undefined for nothing. */
  readonly commandLacks: Fact<string | undefined>;
  /** The file of RevokedKeys, where it is missing: sshd then takes no key at all. */
  readonly missingRevocations: Fact<string | undefined>;
  /** Whoever may log in by the maps. */
  readonly people: Fact<readonly Login[]>;
  readonly pam: Fact<PamFacts>;
  /** Files that keep everybody but root out. */
  readonly nologin: Fact<readonly string[]>;
  readonly confinement: Fact<ConfinementFacts>;
}

/** The account part of sshd's PAM stack. */
export interface PamFacts {
  readonly isThere: boolean;
  /** In their order, `@include`s followed. */
  readonly accountModules: readonly string[];
  /** Lines of access.conf(5) that say anything. */
  readonly accessRules: number;
}

/** What the kernel lets sshd read. */
export interface ConfinementFacts {
  readonly isSelinuxEnforcing: boolean;
  /** The SELinux type of the keys directory. */
  readonly keysType: string | undefined;
  /** Names of AppArmor profiles that are enforced on sshd. */
  readonly profiles: readonly string[];
}

/** Whether its configuration is sound. */
export function sshdConfig({ fault }: SshdFacts): Finding {
  return about(fault, (said) =>
    said === undefined
      ? ok('"sshd -t" has no complaints')
      : broken(
          `"sshd -t" says: ${said.replaceAll(/\s*\n\s*/g, "; ").slice(0, 400)}`,
          "Correct /etc/ssh/sshd_config or its drop-ins; a sshd that is restarted now would not come back.",
        ),
  );
}

/** Whether it looks who can write to key files, and asks PAM. */
export function sshdStrict({ settings }: SshdFacts): Finding {
  return about(settings, ({ settings: own }) => {
    if (settingOf(own, "StrictModes") === "no") {
      return warning(
        "StrictModes is off: sshd takes keys from files that others can write to",
        'Write "StrictModes yes", then reload sshd.',
      );
    }
    return settingOf(own, "UsePAM") === "no"
      ? warning(
          "UsePAM is off: limits, sessions and access.conf do not count",
          'Write "UsePAM yes", unless it is off on purpose.',
        )
      : ok("StrictModes and UsePAM are on");
  });
}

/** Whether its own lists let in whom Rollcall serves. */
export function sshdAllows({ settings, people }: SshdFacts): Finding {
  return about(settings, ({ user, settings: own }) =>
    about(people, (all) => {
      const lists = ["AllowUsers", "DenyUsers", "AllowGroups", "DenyGroups"].filter((key) =>
        own.has(key.toLowerCase()),
      );
      if (lists.length === 0) {
        return ok("it has no list of users or groups");
      }
      const shut = all.flatMap((login) => {
        const why = whyShut(login, own);
        return why === undefined ? [] : [{ name: login.name, why }];
      });
      const [first] = shut;
      if (first === undefined) {
        return ok(`${someOf(lists)} let in all ${all.length} who may log in`);
      }
      const found = `${first.why} shuts out ${shut.length} of ${all.length} who may log in: ${someOf(shut.map(({ name }) => name))}`;
      const remedy = `Correct ${first.why} in sshd_config, then reload sshd; or say in access.login who may log in here.`;
      return shut.length === all.length || shut.some(({ name }) => name === user)
        ? broken(found, remedy)
        : warning(found, remedy);
    }),
  );
}

/** Modules that decide by lists of their own. */
const DECIDING = /^pam_(?:access|listfile|time|slurm|slurm_adopt|sss|ldap|krb5|winbind|succeed_if)$/;

/** Whether PAM might shut somebody out. */
export function pamAccount({ pam, settings }: SshdFacts): Finding {
  if (settings.known && settingOf(settings.value.settings, "UsePAM") === "no") {
    return notChecked("UsePAM is off");
  }
  return about(pam, ({ isThere, accountModules, accessRules }) => {
    if (!isThere) {
      return warning(
        "there is no /etc/pam.d/sshd, so /etc/pam.d/other decides",
        "Install the file of your distribution's package openssh-server again.",
      );
    }
    const deciding = [...new Set(accountModules)].filter(
      (module) => DECIDING.test(module) && !(module === "pam_access" && accessRules === 0),
    );
    if (deciding.length === 0) {
      return ok("the account lines of /etc/pam.d/sshd ask nobody who has a list of their own");
    }
    const rules = deciding.includes("pam_access")
      ? ` (${accessRules} line(s) in /etc/security/access.conf)`
      : "";
    return warning(
      `${someOf(deciding)} of /etc/pam.d/sshd can shut people out by a list of its own${rules}`,
      "See that it lets in whom Rollcall serves; /var/log/auth.log or journalctl -u ssh names whom it refuses.",
    );
  });
}

/** Whether the door is shut for everybody. */
export function nologin({ nologin: files }: SshdFacts): Finding {
  return about(files, (found) =>
    found.length === 0
      ? ok("there is neither /etc/nologin nor /run/nologin")
      : broken(
          `${someOf(found)} keeps everybody but root out`,
          `Find out who put it there (a maintenance, a start that did not end), then: rm ${found.join(" ")}`,
        ),
  );
}

/** Types that the policy of RHEL and Fedora lets sshd read. */
const READABLE_TYPES = new Set(["etc_t", "ssh_home_t", "sshd_key_t", "cert_t"]);

/** Whether the kernel lets sshd read the keys. */
export function confinement({ confinement: fact, keysDirectory }: SshdFacts): Finding {
  return about(fact, ({ isSelinuxEnforcing, keysType, profiles }) => {
    if (profiles.length > 0) {
      return warning(
        `AppArmor enforces ${someOf(profiles)}, which may keep sshd from ${keysDirectory}`,
        `The profile needs "${keysDirectory}/* r,"; dmesg shows what it denies.`,
      );
    }
    if (isSelinuxEnforcing && !READABLE_TYPES.has(keysType ?? "")) {
      return warning(
        `SELinux is enforcing, and ${keysDirectory} has the type ${quoted(keysType ?? "none")}`,
        `Run: semanage fcontext -a -t ssh_home_t '${keysDirectory}(/.*)?' && restorecon -R ${keysDirectory}`,
      );
    }
    return ok(
      isSelinuxEnforcing
        ? `SELinux lets sshd read ${keysType}`
        : "neither SELinux nor AppArmor confines sshd",
    );
  });
}
