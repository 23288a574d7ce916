/**
 * Home directories and login shells: from the IAM where they are safe, else the configured substitute.
 */

import type { HomePath, ShellPath, UserName } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { isAbsent, type Mended } from "./verdict.ts";

/** `homes.path` with `%u` for the user name and `%%` for a percent sign. */
export function homeFromTemplate(template: string, name: UserName): HomePath {
  return template.replace(/%[u%]/g, (code) => (code === "%u" ? name : "%")) as HomePath;
}

/** The home the IAM wants, or the one of the template. An empty or odd home is CVE-2019-3811. */
export function toHome(raw: unknown, name: UserName, rules: Rules["homes"]): Mended<HomePath> {
  const substitute = homeFromTemplate(rules.path, name);
  if (isAbsent(raw)) {
    return { value: substitute, refusal: undefined };
  }
  const fault = homeFault(raw, rules.under);
  if (fault === undefined) {
    return { value: raw as HomePath, refusal: undefined };
  }
  return { value: substitute, refusal: { code: "home-replaced", reason: `${quoted(raw)} ${fault}` } };
}

/** Shells that let nobody in. The IAM may always ask for one: the default shell would be more than it gave. */
const CLOSED_SHELL = /\/(?:nologin|false)$/;

/** The shell the IAM wants if this node allows it, or the default. */
export function toShell(
  raw: unknown,
  rules: Rules["shells"],
  listed: ReadonlySet<string>,
): Mended<ShellPath> {
  const substitute = rules.default as ShellPath;
  if (isAbsent(raw)) {
    return { value: substitute, refusal: undefined };
  }
  const allowed = [rules.nologin, rules.default, ...rules.allowed];
  const isAllowed = (shell: string) =>
    CLOSED_SHELL.test(shell) || allowed.includes(shell) || listed.has(shell);
  if (typeof raw === "string" && isNormalPath(raw) && isAllowed(raw)) {
    return { value: raw as ShellPath, refusal: undefined };
  }
  const reason = `${quoted(raw)} is neither in /etc/shells nor in shells.allowed`;
  return { value: substitute, refusal: { code: "shell-replaced", reason } };
}

/** The shell of somebody who may not log in. */
export function nologinShell(rules: Rules["shells"]): ShellPath {
  return rules.nologin as ShellPath;
}

const PATH_LENGTH = 1024;
/** NAME_MAX of Linux. */
const NAME_BYTES = 255;

function homeFault(raw: unknown, under: readonly string[]): string | undefined {
  if (typeof raw !== "string" || !isNormalPath(raw)) {
    return "is not an absolute path in normal form";
  }
  if (!under.some((prefix) => raw.startsWith(prefix === "/" ? "/" : `${prefix}/`))) {
    return `is not below ${under.join(" or ")}`;
  }
  if (raw.split("/").some((component) => component.startsWith(".rollcall-"))) {
    return "has a name that Rollcall gives to what is half-made";
  }
  return undefined;
}

/** Absolute, no empty, `.` or `..` component, nothing that passwd(5) or a terminal would trip over. */
function isNormalPath(path: string): boolean {
  const components = path.split("/").slice(1);
  return (
    path.startsWith("/") &&
    path.length <= PATH_LENGTH &&
    !/[:\\\p{C}\p{Z}]/u.test(path) &&
    components.every(
      (component) =>
        component !== "" &&
        component !== "." &&
        component !== ".." &&
        Buffer.byteLength(component) <= NAME_BYTES,
    )
  );
}
