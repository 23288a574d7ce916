/**
 * The example manifests for Kubernetes hold together, and give nobody more than they need.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { type Container, containersOf, podOf, readManifests } from "../support/manifests.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const manifests = readManifests();
const pods = manifests.flatMap((manifest) => {
  const pod = podOf(manifest);
  return pod === undefined ? [] : [{ manifest, pod, name: `${manifest.kind} ${manifest.metadata.name}` }];
});
const names = (kind: string) =>
  manifests.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
const imageScript = readFileSync(`${ROOT}packaging/image`, "utf8");

/** What a container runs or is probed with, as far as it is Rollcall. */
function commandsOf({
  command,
  args,
  startupProbe,
  readinessProbe,
  livenessProbe,
}: Container): (readonly string[])[] {
  const probed = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.exec?.command ?? []);
  return [command ?? args ?? [], ...probed].filter(([program]) => program === "rollcall");
}

describe("the manifests", () => {
  it("are three pods and what they need", () => {
    assert.deepEqual(names("Secret"), ["rollcall-token"]);
    assert.deepEqual(names("ConfigMap"), ["rollcall"]);
    assert.equal(pods.length, 3);
  });

  it("hold a configuration that is sound and fits the image", () => {
    const text = manifests.find(({ kind }) => kind === "ConfigMap")?.data?.["rollcall.yaml"] ?? "";
    const loaded = parseConfig(text);
    const sshd = readFileSync(`${ROOT}packaging/image.sshd_config`, "utf8");

    assert.ok(loaded.ok, JSON.stringify(loaded));
    const { caches, keys, state } = loaded.settings;
    assert.ok(sshd.includes(`AuthorizedKeysFile ${keys.directory}/%u\n`));
    assert.ok(imageScript.includes(`ln -s "${caches.directory.replace("/etc/", "")}/$file" "$1/etc/$file"`));
    for (const { pod, name } of pods) {
      const [rollcall] = containersOf(pod).filter(({ args }) => args?.[0] === "rollcall");
      const mounted = (rollcall?.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true);
      for (const path of [caches.directory, state.directory, "/run", "/home"]) {
        assert.ok(
          mounted.some(({ mountPath }) => mountPath === path),
          `${name}: ${path}`,
        );
      }
    }
  });

  it("send services to pods that there are", () => {
    const services = manifests.filter(({ kind }) => kind === "Service");

    assert.ok(services.length > 0);
    for (const { metadata, spec } of services) {
      const chosen = manifests.filter(({ spec: other }) => {
        const labels = other?.template?.metadata.labels ?? {};
        return (
          other?.template &&
          Object.entries(spec?.selector ?? {}).every(([key, value]) => labels[key] === value)
        );
      });
      assert.equal(chosen.length, 1, metadata.name);
      const ports = chosen
        .flatMap((one) => containersOf(podOf(one) ?? { containers: [] }))
        .flatMap(({ ports: some = [] }) => some);
      for (const { targetPort } of spec?.ports ?? []) {
        assert.ok(
          ports.some(({ name }) => name === targetPort),
          `${metadata.name}: ${targetPort}`,
        );
      }
    }
  });

  for (const { manifest, pod, name } of pods) {
    const containers = containersOf(pod);

    it(`mounts only volumes that there are, and all of them: ${name}`, () => {
      const volumes = (pod.volumes ?? []).map((volume) => volume.name);
      const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map((mount) => mount.name));

      assert.equal(new Set(volumes).size, volumes.length);
      assert.deepEqual([...new Set(mounted)].sort(), [...volumes].sort());
      for (const { volumeMounts = [] } of containers) {
        assert.equal(new Set(volumeMounts.map(({ mountPath }) => mountPath)).size, volumeMounts.length);
      }
    });

    it(`names a Secret and a ConfigMap that there are: ${name}`, () => {
      const secrets = (pod.volumes ?? []).flatMap(({ secret }) => secret ?? []);

      assert.deepEqual(secrets, [{ secretName: "rollcall-token", defaultMode: 0o400 }]);
      assert.deepEqual(
        (pod.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []),
        ["rollcall"],
      );
    });

    it(`runs what there is: ${name}`, () => {
      for (const container of containers) {
        for (const [, ...words] of commandsOf(container)) {
          const beside = words.indexOf("--");
          const own = beside === -1 ? words : words.slice(0, beside);
          const { status, stderr } = spawnSync(process.execPath, [`${ROOT}src/main.ts`, ...own, "--help"], {
            encoding: "utf8",
          });
          assert.equal(status, 0, stderr);
        }
        assert.ok(
          commandsOf(container).length > 0 ||
            /^(?:\/usr\/sbin\/sshd|socat)$/.test((container.command ?? container.args)?.[0] ?? ""),
          container.name,
        );
      }
    });

    it(`probes ports that there are: ${name}`, () => {
      for (const container of containers) {
        for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
          const port = probe?.tcpSocket?.port;
          assert.ok(port === undefined || container.ports?.some((one) => one.name === port), container.name);
        }
      }
    });

    it(`gives nobody more than they need: ${name}`, () => {
      assert.equal(pod.automountServiceAccountToken, false);
      assert.notEqual(pod.shareProcessNamespace, true);
      assert.ok((pod.terminationGracePeriodSeconds ?? 0) > 20, "longer than --grace");
      for (const { name: container, securityContext, image, volumeMounts = [] } of containers) {
        assert.equal(securityContext.readOnlyRootFilesystem, true, container);
        assert.equal(securityContext.allowPrivilegeEscalation, false, container);
        assert.deepEqual(securityContext.capabilities?.drop, ["ALL"], container);
        assert.equal(
          image,
          `rollcall:${(JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string }).version}`,
        );
        const sees = volumeMounts.some((mount) => mount.name === "token");
        assert.equal(sees, /^(?:rollcall|login)$/.test(container), `${container}: the token`);
      }
    });

    it(`selects its own pods: ${name}`, () => {
      const selector = manifest.spec?.selector as { matchLabels?: Record<string, string> } | undefined;

      assert.deepEqual(selector?.matchLabels, manifest.spec?.template?.metadata.labels);
    });
  }
});
