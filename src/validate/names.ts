/**
 * Which names a node can serve: portable, not the system's, not a local account's.
 */

import type { GroupName, UserName } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { accept, isAbsent, refuse, type Verdict } from "./verdict.ts";

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

const SYSTEM_PREFIX = /^systemd-/;

/** Which names exist outside the IAM, and what the admin forbids. */
export interface NameLimits {
  readonly names: Rules["names"];
  readonly local: ReadonlySet<string>;
}

/** Checks a user name, after cutting off a configured mail domain. */
export function toUserName(raw: unknown, limits: NameLimits): Verdict<UserName> {
  const name = typeof raw === "string" ? withoutDomain(raw, limits.names.localPart) : raw;
  const refusal = refusalOf(name, RESERVED_USERS, limits);
  return refusal ?? accept(name as UserName);
}

/** Checks a group name, after normalising it where the admin wants that. */
export function toGroupName(raw: unknown, limits: NameLimits): Verdict<GroupName> {
  const name = typeof raw === "string" && limits.names.normaliseGroups ? normalised(raw) : raw;
  const refusal = refusalOf(name, SYSTEM_GROUPS, limits);
  return refusal ?? accept(name as GroupName);
}

function refusalOf(name: unknown, system: ReadonlySet<string>, limits: NameLimits) {
  if (isAbsent(name)) {
    return refuse("name-missing", "no name at the configured attribute");
  }
  if (typeof name !== "string" || !PORTABLE.test(name)) {
    return refuse("name-invalid", `${quoted(name)} does not match ${PORTABLE.source}`);
  }
  if (name.length > limits.names.maxLength) {
    return refuse("name-invalid", `${quoted(name)} is longer than ${limits.names.maxLength} characters`);
  }
  if (isSystems(name, system) || limits.names.reserved.includes(name)) {
    return refuse("name-reserved", `${quoted(name)} is a name of the system`);
  }
  if (limits.local.has(name)) {
    return refuse("name-local", `${quoted(name)} is already a local name on this node`);
  }
  return undefined;
}

/** `root.root` as well: chown(1) still takes a dot between an owner and a group. */
function isSystems(name: string, system: ReadonlySet<string>): boolean {
  return system.has(name) || SYSTEM_PREFIX.test(name) || SYSTEM_USERS.has(name.split(".")[0] ?? "");
}

/** Cuts off one of the mail domains of names.localPart. */
export function withoutDomain(name: string, domains: readonly string[]): string {
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
