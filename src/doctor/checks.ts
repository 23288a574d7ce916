/**
 * Everything between the IAM and a login, one check after the other.
 *
 * In: the facts. Out: a verdict for each check, and how many there are of each. Pure: nothing is looked at here.
 */

import { type ConfigFacts, configuration } from "./configuration.ts";
import { attributePaths, type DirectoryFacts, lists, namedInConfig, refusals } from "./directory.ts";
import { diskSpace, type FileFacts, keysDirectory, published, writable } from "./files.ts";
import type { Fact, Finding, Verdict } from "./finding.ts";
import { defaultShell, type HomeFacts, homePlaces, skeleton } from "./homes.ts";
import { daemon, type HostFacts, lastSync, locks, unit, writers } from "./host.ts";
import {
  groupsList,
  type IamFacts,
  iamClock,
  iamConnection,
  iamName,
  iamTls,
  tokenAccepted,
  tokenFile,
  usersList,
} from "./iam.ts";
import {
  cachesDirectory,
  library,
  localAccounts,
  lookupByName,
  lookupByUid,
  type NssFacts,
  nameCaches,
  nsswitch,
  resolvers,
} from "./name-service.ts";
import {
  confinement,
  nologin,
  pamAccount,
  type SshdFacts,
  sshdAllows,
  sshdConfig,
  sshdStrict,
} from "./sshd.ts";
import { sshdKeys } from "./sshd-keys.ts";

/** All that is known. */
export interface Facts {
  readonly config: ConfigFacts;
  readonly iam: IamFacts;
  readonly directory: Fact<DirectoryFacts>;
  readonly nss: NssFacts;
  readonly sshd: SshdFacts;
  readonly files: FileFacts;
  readonly homes: HomeFacts;
  readonly host: HostFacts;
}

/** The title says in the README what is looked at. */
type Check = readonly [id: string, group: string, title: string, look: (facts: Facts) => Finding];

/** In the order of the way. A new check is a line here and a function of facts. */
export const CHECKS = [
  ["config", "Configuration", "the configuration", ({ config }) => configuration(config)],
  ["iam-name", "IAM", "the name of the IAM", ({ iam }) => iamName(iam)],
  ["iam-connection", "IAM", "a connection", ({ iam }) => iamConnection(iam)],
  ["iam-tls", "IAM", "TLS and the certificate", ({ iam }) => iamTls(iam)],
  ["iam-clock", "IAM", "the clock", ({ iam }) => iamClock(iam)],
  ["token", "IAM", "the token", ({ iam }) => tokenFile(iam)],
  ["token-accepted", "IAM", "whether the token is accepted", ({ iam }) => tokenAccepted(iam)],
  ["users-list", "IAM", "the answer for users", ({ iam }) => usersList(iam)],
  ["groups-list", "IAM", "the answer for groups", ({ iam }) => groupsList(iam)],
  ["attributes", "Directory", "the attribute paths", ({ directory }) => attributePaths(directory)],
  ["records", "Directory", "refused records", ({ directory }) => refusals(directory)],
  ["named", "Directory", "whom the configuration names", ({ directory }) => namedInConfig(directory)],
  ["lists", "Directory", "users and groups", ({ directory }) => lists(directory)],
  ["nsswitch", "Name service", "nsswitch.conf", ({ nss }) => nsswitch(nss)],
  ["resolvers", "Name service", "other name services", ({ nss }) => resolvers(nss)],
  ["libnss-cache", "Name service", "libnss_cache.so.2", ({ nss }) => library(nss)],
  ["caches-directory", "Name service", "the directory of the maps", ({ nss }) => cachesDirectory(nss)],
  ["lookup-name", "Name service", "a lookup by name", ({ nss }) => lookupByName(nss)],
  ["lookup-uid", "Name service", "a lookup by uid", ({ nss }) => lookupByUid(nss)],
  ["local-accounts", "Name service", "local accounts", ({ nss }) => localAccounts(nss)],
  ["name-caches", "Name service", "caches of names", ({ nss }) => nameCaches(nss)],
  ["sshd-config", "sshd", "sshd's configuration", ({ sshd }) => sshdConfig(sshd)],
  ["sshd-keys", "sshd", "where sshd looks for keys", ({ sshd }) => sshdKeys(sshd)],
  ["sshd-strict", "sshd", "StrictModes and UsePAM", ({ sshd }) => sshdStrict(sshd)],
  ["sshd-allows", "sshd", "whom sshd lets in", ({ sshd }) => sshdAllows(sshd)],
  ["pam", "sshd", "PAM's account lines", ({ sshd }) => pamAccount(sshd)],
  ["nologin", "sshd", "nologin files", ({ sshd }) => nologin(sshd)],
  ["confinement", "sshd", "SELinux and AppArmor", ({ sshd }) => confinement(sshd)],
  ["published", "Files", "maps and key files", ({ files }) => published(files)],
  ["keys-directory", "Files", "the keys directory", ({ files }) => keysDirectory(files)],
  ["writable", "Files", "whether a sync can write", ({ files }) => writable(files)],
  ["disk-space", "Files", "room on disk", ({ files }) => diskSpace(files)],
  ["home-places", "Homes", "where homes go", ({ homes }) => homePlaces(homes)],
  ["skeleton", "Homes", "the skeleton", ({ homes }) => skeleton(homes)],
  ["shell", "Homes", "the default shell", ({ homes }) => defaultShell(homes)],
  ["unit", "Host", "the systemd unit", ({ host }) => unit(host)],
  ["daemon", "Host", "the daemon and its version", ({ host }) => daemon(host)],
  ["last-sync", "Host", "the last sync", ({ host }) => lastSync(host)],
  ["locks", "Host", "locks", ({ host }) => locks(host)],
  ["writers", "Host", "other writers of the maps", ({ host }) => writers(host)],
] as const satisfies readonly Check[];

/** One check with what it came to. */
export interface Checked extends Finding {
  readonly id: string;
  readonly group: string;
  readonly title: string;
}

/** What `doctor --json` prints. */
export interface Diagnosis {
  /** Nothing is broken; there may be warnings. */
  readonly ok: boolean;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly checks: readonly Checked[];
}

/** Makes every check, whatever those before came to. */
export function diagnose(facts: Facts): Diagnosis {
  const checks = CHECKS.map(([id, group, title, look]) => ({ id, group, title, ...look(facts) }));
  const count = (verdict: Verdict) => checks.filter((one) => one.verdict === verdict).length;
  const counts = {
    ok: count("ok"),
    warning: count("warning"),
    broken: count("broken"),
    "not-checked": count("not-checked"),
  };
  return { ok: counts.broken === 0, counts, checks };
}
