/**
 * Runs the pods of the example manifests with podman, in namespaces of their own.
 *
 * In: the image, and a pod of packaging/kubernetes. Out: its containers with their volumes as Kubernetes makes them: open
 * to everybody where they are empty, behind `..data` and read-only where they are a Secret or a ConfigMap.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container, Mount, PodSpec, Volume } from "./manifests.ts";
import { outputOf, startProcess } from "./namespace.ts";
import { keepOutput, type Ran, run } from "./node-root.ts";

/** What tests need of the machine, and how to tell that it is there. */
const COMPONENTS = {
  "root and its right to unshare namespaces (package util-linux)": () =>
    spawnSync("unshare", ["-m", "-p", "-f", "nsenter", "--version"]).status === 0,
  "mmdebstrap (package mmdebstrap)": () => spawnSync("mmdebstrap", ["--version"]).status === 0,
  "buildah (package buildah)": () => spawnSync("buildah", ["--version"]).status === 0,
  "podman (package podman)": () => spawnSync("podman", ["--version"]).status === 0,
  "ssh (package openssh-client)": () => spawnSync("ssh", ["-V"]).status === 0,
} as const;

/** Why a test that needs containers must be skipped; false when all is there. */
export function missingContainers(): string | false {
  const absent = Object.entries(COMPONENTS).filter(([, isThere]) => !isThere());
  return absent.length > 0 && `missing: ${absent.map(([name]) => name).join(", ")}`;
}

/** The image, as podman has it. */
export interface Engine extends AsyncDisposable {
  podman(...args: string[]): Promise<Ran>;
  /** Starts one container in the foreground. */
  start(name: string, args: readonly string[]): RunningContainer;
}

export interface RunningContainer {
  readonly output: () => string;
  /** Waits until it has printed this; throws when it ends before, or after a minute. */
  printed(pattern: RegExp): Promise<void>;
  /** Runs a command inside. */
  exec(...command: string[]): Promise<Ran>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Everything dies with the process that holds the namespaces, and that one in any case after a while. */
const HOLD = `
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo held
sleep 600 &
wait $!
`;
const IMAGE = "localhost/rollcall-under-test";

/** Loads an archive; disposing ends every container and removes all that podman kept. */
export async function startEngine(archive: string): Promise<Engine> {
  await using stack = new AsyncDisposableStack();
  const storage = stack.adopt(mkdtempSync(join(tmpdir(), "rollcall-podman-")), (path) =>
    rmSync(path, { recursive: true, force: true }),
  );
  const flags = ["--mount-proc", "--propagation", "private", "--kill-child", "sh", "-euc", HOLD];
  // It ignores SIGTERM while there is a process inside.
  const end = (child: ChildProcess) => child.kill("SIGKILL");
  const holder = stack.use(startProcess("unshare", ["-m", "-p", "-f", ...flags], end));
  await holder.printed("held\n");
  const inside = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim();
  const storageFlags = `--root ${storage}/root --runroot /run/podman --tmpdir /run/libpod --storage-driver vfs`;
  const engine = [...entering(inside), "podman", ...storageFlags.split(" "), "--cgroup-manager", "cgroupfs"];
  const podman = (...args: string[]) => run("nsenter", [...engine, ...args]);
  const loaded = outputOf(await podman("load", "--quiet", "--input", archive));
  outputOf(await podman("tag", /Loaded image: (\S+)/.exec(loaded)?.[1] ?? "", IMAGE));
  const cleanup = stack.move();
  return {
    podman,
    start(name, args) {
      const child = spawn("nsenter", [...engine, "run", "--rm", "--name", name, ...args], {
        env: { PATH: process.env["PATH"] },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return {
        ...watch(child),
        // podman's own exec would lead out of a container where this machine's root is a chroot.
        exec: async (...command) => {
          const pid = outputOf(await podman("inspect", "--format", "{{.State.Pid}}", name)).trim();
          return run("nsenter", [...entering(inside), "nsenter", ...entering(pid), ...command]);
        },
        kill: async (signal) => void outputOf(await podman("kill", "--signal", signal, name)),
      };
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** The options of nsenter for the namespaces, the root and the directory of a process. */
function entering(pid: string): string[] {
  return ["-t", pid, "-m", "-p", "-r", "-w", "--"];
}

const POLL_MS = 50;
const MAX_POLLS = 1200;

function watch(child: ChildProcess): Pick<RunningContainer, "output" | "printed" | "ended"> {
  const output = keepOutput(child);
  return {
    output,
    async printed(pattern) {
      for (let polls = 0; !pattern.test(output()); polls += 1) {
        if (child.exitCode !== null || polls === MAX_POLLS) {
          throw new Error(`a container did not print ${pattern}, but: ${output()}`);
        }
        await sleep(POLL_MS);
      }
    },
    ended: once(child, "exit").then(([code]: unknown[]) => (typeof code === "number" ? code : null)),
  };
}

/** A pod whose containers a test starts one by one. */
export interface Pod {
  /** The directory on this machine behind a volume. */
  directory(volume: string): string;
  /** Hands new files of a Secret or a ConfigMap on, by a swap of `..data`. */
  swap(volume: string, files: Readonly<Record<string, string>>): void;
  start(container: Container, args?: readonly string[]): RunningContainer;
}

/** What the Secrets and ConfigMaps of a test hold, by their name. */
export type Files = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Makes its volumes below a directory. */
export function makePod(
  engine: Engine,
  pod: PodSpec,
  { directory, files }: { readonly directory: string; readonly files: Files },
): Pod {
  const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]));
  const at = (name: string) => join(directory, name);
  let swaps = 0;
  const swap = (name: string, content: Readonly<Record<string, string>>) => {
    const data = `..${(swaps += 1)}`;
    mkdirSync(join(at(name), data), { mode: 0o755 });
    for (const [file, text] of Object.entries(content)) {
      writeFileSync(join(at(name), data, file), text);
      chmodSync(join(at(name), data, file), volumes.get(name)?.secret?.defaultMode ?? 0o644);
    }
    symlinkSync(data, join(at(name), "..data.new"));
    renameSync(join(at(name), "..data.new"), join(at(name), "..data"));
  };
  for (const volume of volumes.values()) {
    makeVolume(volume, at(volume.name));
    const content = files[volume.secret?.secretName ?? volume.configMap?.name ?? ""];
    if (content !== undefined) {
      swap(volume.name, content);
      Object.keys(content).forEach((file) => symlinkSync(`..data/${file}`, join(at(volume.name), file)));
    }
  }
  return {
    directory: at,
    swap,
    start(container, args = []) {
      const mounts = (container.volumeMounts ?? []).map((mount) => bindOf(mount, volumes, at));
      return engine.start(container.name, [
        ...flagsOf(container),
        ...mounts,
        ...commandOf(container),
        ...args,
      ]);
    },
  };
}

/** The modes that Kubernetes gives them; a claim has whatever its storage has. */
function makeVolume({ secret, persistentVolumeClaim }: Volume, path: string): void {
  mkdirSync(path);
  chmodSync(path, secret !== undefined ? 0o1777 : persistentVolumeClaim !== undefined ? 0o755 : 0o777);
}

function bindOf(
  { name, mountPath, subPath, readOnly }: Mount,
  volumes: ReadonlyMap<string, Volume>,
  at: (name: string) => string,
): string {
  const volume = volumes.get(name);
  const source = subPath === undefined ? at(name) : join(at(name), subPath);
  mkdirSync(source, { recursive: true });
  const isFixed = readOnly === true || volume?.secret !== undefined || volume?.configMap !== undefined;
  return `--volume=${source}:${mountPath}:${isFixed ? "ro" : "rw"}`;
}

function flagsOf({ securityContext, env = [] }: Container): string[] {
  const { readOnlyRootFilesystem, allowPrivilegeEscalation, runAsUser, capabilities } = securityContext;
  return [
    "--network=host",
    "--cgroups=disabled",
    "--log-driver=none",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
    ...(readOnlyRootFilesystem === true ? ["--read-only", "--read-only-tmpfs=false"] : []),
    ...(allowPrivilegeEscalation === false ? ["--security-opt=no-new-privileges"] : []),
    ...(runAsUser === undefined ? [] : [`--user=${runAsUser}`]),
    ...(capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
    ...(capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
    ...env.map(({ name, value }) => `--env=${name}=${value}`),
  ];
}

/** `command` stands in for the image's entrypoint, `args` for its command. */
function commandOf({ command, args = [] }: Container): string[] {
  return [...(command === undefined ? [] : [`--entrypoint=${JSON.stringify(command)}`]), IMAGE, ...args];
}
