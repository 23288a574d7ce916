/**
 * What single keys of an nsscache.conf come to, where that is more than the same value under another name.
 *
 * In: a value. Out: settings, and what is to be said about them.
 */

import { quoted } from "../model/quoted.ts";
import type { Part } from "./translation.ts";

/** http is allowed by name alone. */
export function baseUrl(value: string): Part {
  const settings = [{ path: "iam.url", value }];
  if (!/^http:/i.test(value) || /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/i.test(value)) {
    return { settings };
  }
  return {
    settings: [...settings, { path: "iam.allowHttp", value: true }],
    text: "The token crosses the network in the clear. Use https, and take iam.allowHttp out.",
    needsLook: true,
  };
}

/** Paging is Rollcall's own business, and a cursor in the query was how nsscache was told to use it. */
export function parameters(list: "users" | "groups"): (value: string) => Part {
  return (value) => {
    const pieces = value
      .trim()
      .replace(/^[?&]+/, "")
      .split("&")
      .filter((piece) => piece !== "");
    const nameOf = (piece: string) => (piece.split("=")[0] ?? "").trim().toLowerCase();
    const kept = pieces.filter((piece) => !PAGING.has(nameOf(piece)));
    const query = kept.join("&");
    const count = pieces.find((piece) => nameOf(piece) === "count")?.split("=")[1];
    const hasCursor = pieces.some((piece) => nameOf(piece) === "cursor");
    const hasPlus = query.includes("+");
    const texts = [
      ...(hasCursor
        ? ["A cursor in it meant paging by cursors, which is iam.paging now, for both lists."]
        : []),
      ...(kept.length < pieces.length ? ["Parameters of paging were taken out of it."] : []),
      ...(/\bactive\s+eq\s+"?true/i.test(query) ? [WITHOUT_INACTIVE] : []),
      ...(hasPlus ? [PLUS] : []),
    ];
    return {
      settings: [
        ...(query === "" ? [] : [{ path: `iam.${list}.query`, value: query }]),
        ...(hasCursor ? [{ path: "iam.paging", value: "cursor" }] : []),
        ...(count !== undefined && /^\d{1,5}$/.test(count)
          ? [{ path: "iam.pageSize", value: Number(count) }]
          : []),
      ],
      ...(texts.length > 0 && { text: texts.join(" "), needsLook: hasPlus }),
    };
  };
}

const WITHOUT_INACTIVE =
  "With this filter, people who are deactivated disappear instead of keeping their name without a login.";
const PLUS =
  "A plus in it, which many services take for a space, is a plus now: write a space where one is meant.";
const PAGING: ReadonlySet<string> = new Set(["cursor", "count", "startindex"]);

/** Seconds. */
export function timeout(value: string): Part {
  const ms = milliseconds(value);
  return ms === undefined || ms === 0
    ? untranslated(value, "a number of seconds; the default of iam.timeout is used")
    : {
        settings: [{ path: "iam.timeout", value: durationOf(ms) }],
        text: "For one request, from its first byte to the last.",
      };
}

/** It cannot be switched off. */
export function verifySsl(value: string): Part {
  return /^(?:true|yes|on|1)$/i.test(value)
    ? { text: "Not needed: the certificate of the IAM is always verified." }
    : {
        text: "The certificate of the IAM is always verified, and nothing switches that off. If it is of an authority of your own, name its PEM file in iam.caFile.",
        needsLook: true,
      };
}

/** Seconds. */
export function retryDelay(value: string): Part {
  const ms = milliseconds(value);
  return ms === undefined
    ? untranslated(value, "a number of seconds; the default of iam.retryDelay is used")
    : {
        settings: [{ path: "iam.retryDelay", value: durationOf(ms) }],
        text: "The pause before the first retry; each further one is twice as long, and Retry-After of the IAM wins.",
      };
}

/** A number of tries. */
export function retryMax(value: string): Part {
  const count = Number(value);
  return !Number.isInteger(count) || count < 0
    ? untranslated(value, "a number of tries; the default of iam.retries is used")
    : {
        settings: [{ path: "iam.retries", value: Math.min(10, count) }],
        text: `Only what may pass is tried again: no answer, 429 and 5xx, but not 401.${count > 10 ? " Ten is the most." : ""}`,
      };
}

/** Where the IAM has the home. */
export function homeAttribute(value: string): Part {
  return {
    settings: [{ path: "attributes.user.home", value }],
    text: "A home is taken from there if it lies below one of homes.under, which is /home alone; add the places where homes are.",
    needsLook: true,
  };
}

/** Where the IAM has the shell. */
export function shellAttribute(value: string): Part {
  return {
    settings: [{ path: "attributes.user.shell", value }],
    text: "A shell is taken from there if it is in /etc/shells or shells.allowed.",
  };
}

/** One home for everybody, or a place with one for each. */
export function overrideHome(value: string): Part {
  const template = value.replace(/\/+$/, "");
  const isOwn = /^\/.*[^/]\/%u$/s.test(template) && !template.slice(0, -2).includes("%");
  const path = isOwn ? template : `${template}/%u`;
  if (!isOwn && template.includes("%")) {
    return untranslated(value, "a directory with /%u at its end; the default of homes.path is used");
  }
  return {
    settings: [
      { path: "homes.path", value: path },
      { path: "homes.under", value: [path.slice(0, -"/%u".length)] },
    ],
    text: isOwn
      ? "Rollcall makes a home that is missing, and changes none that is there; homes.create: false switches that off."
      : `It gave one home to everybody, which Rollcall does not do: each has their own below it. If ${quoted(value)} is meant, keep nsscache or name an attribute.`,
    needsLook: !isOwn,
  };
}

/** A field of shadow(5). */
export function shadowDefault(value: string): Part {
  return {
    text:
      value === ""
        ? "Not needed: the fields of password ageing are empty."
        : `Not written, it was ${quoted(value)}: nobody has a password here, so the fields of password ageing stay empty. Only an inactive account expires.`,
  };
}

/** Where the maps are. */
export function filesDirectory(value: string): Part {
  const path = value.replace(/\/+$/, "");
  return path.startsWith("/")
    ? {
        settings: [{ path: "caches.directory", value: path }],
        text: "Where libnss-cache of this node looks; Debian's looks in /etc. Stop nsscache before the first sync, so that only one of them writes there.",
      }
    : {
        text: `It was ${quoted(value)}, which depends on where nsscache was started. The maps are written to /etc, where libnss-cache looks; see caches.directory.`,
        needsLook: true,
      };
}

/** How the maps are called. */
export function suffix(value: string): Part {
  return value === "cache"
    ? { text: "Not needed: maps are called passwd.cache, group.cache and so on, as libnss-cache wants them." }
    : {
        text: `It was ${quoted(value)}; Rollcall's maps are always called passwd.cache, group.cache and so on, as libnss-cache wants them. Look who reads the old names.`,
        needsLook: true,
      };
}

/** What kind of maps they are. */
export function cache(value: string): Part {
  return value === "files"
    ? { text: "Not needed: Rollcall writes the files that libnss-cache reads." }
    : {
        text: `It was ${quoted(value)}; Rollcall writes the files that libnss-cache reads, so nsswitch.conf needs "cache" in its place.`,
        needsLook: true,
      };
}

function untranslated(value: string, wanted: string): Part {
  return { text: `Not translated: ${quoted(value)} is not ${wanted}.`, needsLook: true };
}

function milliseconds(value: string): number | undefined {
  const seconds = Number(value);
  return value.trim() !== "" && seconds >= 0 && seconds < 900 ? Math.round(seconds * 1000) : undefined;
}

function durationOf(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
