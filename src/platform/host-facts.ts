/**
 * What kind of machine this is.
 */

import { osInfo } from "systeminformation";

/** Of the machine; never changes while it is up. */
export interface HostFacts {
  /** `Debian GNU/Linux 12`. */
  readonly os: string;
  readonly kernel: string;
  readonly arch: string;
  readonly hostname: string;
}

/** Asks once; takes some fifty milliseconds and a few processes, so never while anybody waits. */
export async function readHostFacts(): Promise<HostFacts> {
  const { distro, release, kernel, arch, hostname } = await osInfo();
  return { os: `${distro} ${release}`, kernel, arch, hostname };
}
