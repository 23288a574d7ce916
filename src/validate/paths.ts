/**
 * Home directories and login shells: from the IAM where they are safe, else the configured substitute.
 */

import type { HomePath, ShellPath, UserName } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { isAbsent, type Mended } from "./verdict.ts";

/** `homes.path` with `%u` for the user name and `%%` for a percent sign. */
export interface HomeTemplate {
  of(name: UserName): HomePath;
  /** Whether this is the home of that name; makes no text to find out. */
  gives(home: string, name: UserName): boolean;
}

/** Takes the template apart once. */
export function homeTemplate(template: string): HomeTemplate {
  // No path holds a NUL, so it can stand for the name meanwhile.
  const pieces = template.replace(/%[u%]/g, (code) => (code === "%u" ? "\0" : "%")).split("\0");
  const [start = "", ...rest] = pieces;
  return {
    of: (name) => rest.reduce((path, piece) => path + name + piece, start) as HomePath,
    gives: (home, name) => {
      let at = start.length;
      for (const piece of rest) {
        if (!home.startsWith(name, at) || !home.startsWith(piece, at + name.length)) {
          return false;
        }
        at += name.length + piece.length;
      }
      return at === home.length && home.startsWith(start);
    },
  };
}

/** Where homes may be, and where they are when nothing else is said. */
export interface HomeRules {
  readonly template: HomeTemplate;
  /** Directories, each with a slash at its end. */
  readonly under: readonly string[];
}

/** The rules of the admin, put together once. */
export function homeRules({ path, under }: Rules["homes"]): HomeRules {
  return {
    template: homeTemplate(path),
    under: under.map((prefix) => (prefix === "/" ? prefix : `${prefix}/`)),
  };
}

/** The home the IAM wants, or the one of the template. An empty or odd home is CVE-2019-3811. */
export function toHome(raw: unknown, name: UserName, { template, under }: HomeRules): Mended<HomePath> {
  if (isAbsent(raw)) {
    return template.of(name);
  }
  const fault = homeFault(raw, under);
  if (fault === undefined) {
    return raw as HomePath;
  }
  return {
    value: template.of(name),
    refusal: { code: "home-replaced", reason: `${quoted(raw)} ${fault}` },
  };
}

/** Shells that let nobody in. The IAM may always ask for one: the default shell would be more than it gave. */
const CLOSED_SHELL = /\/(?:nologin|false)$/;

/** Which shells there are beside those that let nobody in. */
export interface ShellRules {
  readonly default: ShellPath;
  readonly nologin: ShellPath;
  readonly allowed: ReadonlySet<string>;
}

/** What the admin allows, and what is listed in shells(5). */
export function shellRules(rules: Rules["shells"], listed: ReadonlySet<string>): ShellRules {
  const shells = [rules.nologin, rules.default, ...rules.allowed, ...listed];
  return {
    default: rules.default as ShellPath,
    nologin: nologinShell(rules),
    allowed: new Set(shells.filter(isNormalPath)),
  };
}

/** The shell the IAM wants if this node allows it, or the default. */
export function toShell(raw: unknown, rules: ShellRules): Mended<ShellPath> {
  if (isAbsent(raw)) {
    return rules.default;
  }
  if (typeof raw === "string" && (rules.allowed.has(raw) || (CLOSED_SHELL.test(raw) && isNormalPath(raw)))) {
    return raw as ShellPath;
  }
  const reason = `${quoted(raw)} is neither in /etc/shells nor in shells.allowed`;
  return { value: rules.default, refusal: { code: "shell-replaced", reason } };
}

/** The shell of somebody who may not log in. */
export function nologinShell(rules: Rules["shells"]): ShellPath {
  return rules.nologin as ShellPath;
}

const PATH_LENGTH = 1024;
/** NAME_MAX of Linux. */
const NAME_BYTES = 255;

function homeFault(raw: unknown, under: readonly string[]): string | undefined {
  const isPlain = typeof raw === "string" && isPlainPath(raw);
  if (typeof raw !== "string" || !(isPlain || isNormalPath(raw))) {
    return "is not an absolute path in normal form";
  }
  if (!under.some((prefix) => raw.startsWith(prefix))) {
    return `is not below ${under.map((prefix) => prefix.replace(/(?<=.)\/$/, "")).join(" or ")}`;
  }
  if (!isPlain && raw.split("/").some((component) => component.startsWith(".rollcall-"))) {
    return "has a name that Rollcall gives to what is half-made";
  }
  return undefined;
}

/** What most paths look like: in normal form, and no component starts with a dot. */
function isPlainPath(path: string): boolean {
  return path.length <= NAME_BYTES && /^(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/.test(path);
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
