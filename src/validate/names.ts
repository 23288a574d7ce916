/**
 * Which names a node can serve: portable, not the system's, not a local account's.
 */

import type { GroupName, UserName } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { isAbsent, type Refusal, type Verdict } from "./verdict.ts";

const PORTABLE = /^[a-z_][a-z0-9_.-]*$/;

/** Accounts of Debian, Ubuntu and RHEL, of Slurm, and of services found on login nodes. */
const SYSTEM_USERS = new Set(
  `root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody _apt adm
  shutdown halt operator ftp dbus messagebus polkitd sshd ntp _chrony chrony tss rpc rpcuser statd nfsnobody sssd
  nscd unbound avahi postfix mysql postgres slurm slurmdbd slurmrest slurmrestd munge rollcall`.split(/\s+/),
);

/** Groups that mean power wherever a sudoers file, a polkit rule or a device node names them. */
const SYSTEM_GROUPS = new Set(
  `root daemon bin sys adm tty disk lp mail news uucp man proxy kmem dialout fax voice cdrom floppy tape sudo audio
  dip www-data backup operator list irc src shadow utmp video sasl plugdev staff games users nogroup nobody wheel
  admin docker lxd lxc podman libvirt libvirt-qemu kvm render input sgx netdev crontab ssh _ssh ssh_keys mem lock
  ftp dbus messagebus polkitd sshd tss mysql postgres slurm slurmdbd slurmrest slurmrestd munge rollcall`.split(
    /\s+/,
  ),
);

/** Accounts that cloud images make; a sudoers file often outlives them. */
const CLOUD_USERS =
  `ubuntu debian centos fedora rocky almalinux ec2-user cloud-user opc azureuser vagrant core pi`.split(" ");

/** A user called like a group of power is as bad: pam_access and others look at both. */
const RESERVED_USERS = new Set([...SYSTEM_USERS, ...SYSTEM_GROUPS, ...CLOUD_USERS]);

const SYSTEM_PREFIX = "systemd-";

/** Which names exist outside the IAM, and what the admin forbids. */
export interface NameLimits {
  readonly names: Rules["names"];
  readonly local: ReadonlySet<string>;
}

/** Checks a user name, after cutting off a configured mail domain. */
export function toUserName(raw: unknown, limits: NameLimits): Verdict<UserName> {
  const name = typeof raw === "string" ? withoutDomain(raw, limits.names.localPart) : raw;
  return refusalOf(name, RESERVED_USERS, limits) ?? (name as UserName);
}

/** Checks a group name, after normalising it where the admin wants that. */
export function toGroupName(raw: unknown, limits: NameLimits): Verdict<GroupName> {
  const name = typeof raw === "string" && limits.names.normaliseGroups ? normalised(raw) : raw;
  return refusalOf(name, SYSTEM_GROUPS, limits) ?? (name as GroupName);
}

function refusalOf(name: unknown, system: ReadonlySet<string>, limits: NameLimits): Refusal | undefined {
  if (isAbsent(name)) {
    return { code: "name-missing", reason: "no name at the configured attribute" };
  }
  if (typeof name !== "string" || !PORTABLE.test(name)) {
    return { code: "name-invalid", reason: `${quoted(name)} does not match ${PORTABLE.source}` };
  }
  if (name.length > limits.names.maxLength) {
    return {
      code: "name-invalid",
      reason: `${quoted(name)} is longer than ${limits.names.maxLength} characters`,
    };
  }
  if (isSystems(name, system) || limits.names.reserved.includes(name)) {
    return { code: "name-reserved", reason: `${quoted(name)} is a name of the system` };
  }
  if (limits.local.has(name)) {
    return { code: "name-local", reason: `${quoted(name)} is already a local name on this node` };
  }
  return undefined;
}

/** `root.root` as well: chown(1) still takes a dot between an owner and a group. */
function isSystems(name: string, system: ReadonlySet<string>): boolean {
  const dot = name.indexOf(".");
  return (
    system.has(name) ||
    name.startsWith(SYSTEM_PREFIX) ||
    SYSTEM_USERS.has(dot === -1 ? name : name.slice(0, dot))
  );
}

/** Cuts off one of the mail domains of names.localPart. */
export function withoutDomain(name: string, domains: readonly string[]): string {
  if (domains.length === 0) {
    return name;
  }
  const at = name.lastIndexOf("@");
  const domain = name.slice(at + 1).toLowerCase();
  return at > 0 && domains.some((allowed) => allowed.toLowerCase() === domain) ? name.slice(0, at) : name;
}

function normalised(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
