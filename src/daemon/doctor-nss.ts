/**
 * Asks glibc what it finds, and reads what it goes by.
 */

import type { Settings } from "../config/settings.ts";
import { type Fact, unknown, valueOf } from "../doctor/finding.ts";
import type { LibraryFacts, LookupFacts, NssFacts } from "../doctor/name-service.ts";
import { CACHE_SOURCE, parseNsswitch, sourcesOf } from "../formats/nsswitch.ts";
import { type PasswdRecord, renderLine } from "../formats/passwd.ts";
import { runTool } from "../platform/child.ts";
import { underRoot } from "../platform/files.ts";
import { thisMachine } from "../platform/host.ts";
import { getent, isThere, namesOfRunning, readBounded } from "../platform/node-look.ts";
import { factOf, LOOK_MS, OTHER_ROOT } from "./doctor-look.ts";
import type { MapsLook } from "./doctor-maps.ts";

/** Everything about names. */
export async function lookAtNames(
  { caches }: Settings,
  { root, maps }: { readonly root: string; readonly maps: Fact<MapsLook> },
): Promise<NssFacts> {
  const isHere = root === "/";
  const here = <Value>(what: string, look: () => Promise<Value>): Promise<Fact<Value>> =>
    isHere ? factOf({ what, limitMs: 2 * LOOK_MS, look }) : Promise.resolve(unknown(OTHER_ROOT));
  const somebody = valueOf(maps)?.logins[0];
  const lines = await factOf({
    what: "reading /etc/nsswitch.conf",
    limitMs: LOOK_MS,
    look: async () => {
      const text = await readBounded(underRoot(root, "/etc/nsswitch.conf"));
      return text === undefined ? undefined : parseNsswitch(text);
    },
  });
  const services = (sourcesOf(valueOf(lines) ?? [], "passwd") ?? []).map(({ name }) => name);
  return {
    lines,
    arch: thisMachine().arch,
    libraries: await factOf({
      what: "looking for libnss_cache.so.2",
      limitMs: LOOK_MS,
      look: () => findLibraries(root),
    }),
    cachesDirectory: caches.directory,
    lookups: maps.known ? await here("getent(1)", () => lookUp(somebody)) : maps,
    others: await here("getent(1)", () => askOthers(services, somebody?.name)),
    hidden: maps.known ? { known: true, value: maps.value.hidden } : maps,
    keepers: await here("looking for nscd", findKeepers),
  };
}

/** glibc asks whoever listens there; the process of a container is nobody's here. */
async function findKeepers(): Promise<string[]> {
  return (await isThere("/var/run/nscd/socket")) ? namesOfRunning(new Set(["nscd", "unscd"])) : [];
}

const GETENT_MS = 4000;

async function lookUp(somebody: PasswdRecord | undefined): Promise<LookupFacts | undefined> {
  if (somebody === undefined) {
    return undefined;
  }
  const { name, uid } = somebody;
  const [byName, byUid] = await Promise.all([
    getent(["passwd", "--", name], GETENT_MS),
    getent(["passwd", "--", String(uid)], GETENT_MS),
  ]);
  return { name, uid, line: renderLine(somebody), byName, byUid };
}

/** Those that stand for people of this node itself, or of nobody. */
const OWN = new Set(["files", "compat", "db", "altfiles", "systemd", "mymachines", CACHE_SOURCE]);

async function askOthers(services: readonly string[], name: string | undefined): Promise<NssOther[]> {
  const others = services.filter((service) => !OWN.has(service) && /^\w+$/.test(service));
  return Promise.all(
    others.map(async (service) => ({
      service,
      answers:
        name !== undefined && (await getent(["-s", service, "passwd", "--", name], GETENT_MS)) !== undefined,
    })),
  );
}

interface NssOther {
  readonly service: string;
  readonly answers: boolean;
}

const LIBRARY = "libnss_cache.so.2";

/** Where the loader looks: the directories it has compiled in, and its cache (ld.so(8)). */
async function findLibraries(root: string): Promise<LibraryFacts[]> {
  const { multiarch } = thisMachine();
  const usual = [`/lib/${multiarch}`, `/usr/lib/${multiarch}`, "/lib64", "/usr/lib64", "/lib", "/usr/lib"];
  const paths = new Set([...usual.map((directory) => `${directory}/${LIBRARY}`), ...(await cached(root))]);
  const found: LibraryFacts[] = [];
  for (const path of paths) {
    const bytes = await readBounded(underRoot(root, path));
    if (bytes !== undefined) {
      found.push({
        path,
        fitsThisMachine: isForThisMachine(bytes),
        mapsDirectory: /(\/[\w./-]*)\/passwd\.cache/.exec(bytes)?.[1],
      });
    }
  }
  return found;
}

async function cached(root: string): Promise<string[]> {
  if (root !== "/") {
    return [];
  }
  const ran = await runTool({ program: "ldconfig", args: ["-p"] }, GETENT_MS);
  return [...ran.out.matchAll(/libnss_cache\.so\.2 .*=> (\S+)/g)].flatMap(([, path]) => path ?? []);
}

/** elf(5): 64 bits, and the machine at offset 18. */
function isForThisMachine(bytes: string): boolean {
  const machine = bytes.charCodeAt(18) + 256 * bytes.charCodeAt(19);
  return bytes.startsWith("\x7fELF\x02") && machine === thisMachine().elfMachine;
}
