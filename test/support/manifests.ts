/**
 * The example manifests for Kubernetes, read as Kubernetes reads them.
 *
 * In: packaging/kubernetes. Out: every object, and what its pods are made of.
 */

import { globSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const FOLDER = new URL("../../packaging/kubernetes/", import.meta.url).pathname;

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly tcpSocket?: { readonly port: string | number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly runAsUser?: number;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
  readonly volumeMounts?: readonly Mount[];
}

export interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number };
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** An object of Kubernetes, as far as the tests look into it. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly ports?: readonly { readonly targetPort: string | number }[];
    readonly template?: { readonly metadata: Manifest["metadata"]; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  } & Partial<PodSpec>;
}

/** Every object of every file. Kubernetes reads YAML 1.1, where 0400 is octal. */
export function readManifests(): Manifest[] {
  return globSync("*.yaml", { cwd: FOLDER })
    .sort()
    .flatMap((file) =>
      [...parseAllDocuments(readFileSync(`${FOLDER}${file}`, "utf8"), { version: "1.1" })].map((document) => {
        if (document.errors[0] !== undefined) {
          throw document.errors[0];
        }
        return { ...(document.toJS() as Omit<Manifest, "file">), file };
      }),
    );
}

/** The pod of an object, with the volumes that its claims become; undefined when it has none. */
export function podOf({ spec }: Manifest): PodSpec | undefined {
  const pod = spec?.template?.spec ?? (spec?.containers === undefined ? undefined : (spec as PodSpec));
  const claimed = (spec?.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return pod && { ...pod, volumes: [...(pod.volumes ?? []), ...claimed] };
}

/** Those that start first among them. */
export function containersOf({ initContainers = [], containers }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}
