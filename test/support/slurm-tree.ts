/**
 * A root file system with Debian's Slurm and a login node's programs: see debian-tree.ts.
 */

import { buildTree, missingTree, type Suite } from "./debian-tree.ts";

/** The release of Debian: bookworm has Slurm 22.05, trixie 24.11. */
export type { Suite } from "./debian-tree.ts";

/** Why a test that needs a Slurm cluster must be skipped; false when all is there. */
export const missingSlurm = missingTree;

const PACKAGES = [
  "munge",
  "mariadb-client-core",
  "mariadb-server-core",
  "slurm-wlm",
  "slurmdbd",
  "libnss-cache",
  "openssh-client",
  "openssh-server",
  "sudo",
  "iproute2",
  "procps",
  "passwd",
  "util-linux",
  "mount",
  "libstdc++6",
  "ca-certificates",
];

/** Not by options of mmdebstrap, which then filters what it unpacks file by file, and takes twice as long. */
const SETUP = `set -eu
mkdir -p "$1/etc/dpkg/dpkg.cfg.d" "$1/etc/mysql"
printf 'path-exclude=/usr/share/%s/*\\n' doc man info locale > "$1/etc/dpkg/dpkg.cfg.d/small"
printf '[mariadbd]\\ninnodb-log-file-size=8M\\ninnodb-undo-tablespaces=0\\n' > "$1/etc/mysql/my.cnf"`;

const CUSTOMIZE = `set -eu
printf 'passwd: files cache\\ngroup: files cache\\nshadow: files cache\\nhosts: files\\n' > "$1/etc/nsswitch.conf"
chroot "$1" useradd --system mysql
chroot "$1" mariadb-install-db --user=mysql --auth-root-authentication-method=socket --skip-test-db --force`;

const trees = new Map<Suite, Promise<string>>();

/** A directory with the tree as `root`, and room beside it. Building it takes half a minute, and is done once. */
export function slurmTree(suite: Suite): Promise<string> {
  const tree =
    trees.get(suite) ?? buildTree(suite, { packages: PACKAGES, setup: SETUP, customize: CUSTOMIZE });
  trees.set(suite, tree);
  return tree;
}
