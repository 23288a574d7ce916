/**
 * Whether sshd looks for keys where Rollcall writes them, and a key lets anybody in.
 */

import { keyFilesOf, type SshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { quoted } from "../model/quoted.ts";
import { about, broken, type Finding, ok, warning } from "./finding.ts";
import type { SshdFacts } from "./sshd.ts";

/** Why a key lets nobody in, wherever it is; undefined when one does. */
function keysAreVain(
  own: SshdSettings,
  missingRevocations: SshdFacts["missingRevocations"],
): Finding | undefined {
  if (settingOf(own, "PubkeyAuthentication") === "no") {
    return broken(
      "PubkeyAuthentication is off, so no key lets anybody in",
      'Write "PubkeyAuthentication yes", then reload sshd.',
    );
  }
  const missing = missingRevocations.known ? missingRevocations.value : undefined;
  if (missing !== undefined) {
    return broken(
      `RevokedKeys ${quoted(missing)} is not there, so sshd takes no key of anybody`,
      `Put the file back (an empty one revokes nothing), or write "RevokedKeys none", then reload sshd.`,
    );
  }
  const methods = settingOf(own, "AuthenticationMethods") ?? "any";
  return methods !== "any" && !methods.split(" ").some((list) => /^publickey(?:,publickey)*$/.test(list))
    ? warning(
        `AuthenticationMethods ${quoted(methods)}: a key alone lets nobody in`,
        'Write "AuthenticationMethods publickey", unless the other factor is there on purpose.',
      )
    : undefined;
}

/** Whether it looks where Rollcall writes. */
export function sshdKeys(facts: SshdFacts): Finding {
  return about(facts.settings, ({ settings: own }) => {
    const vain = keysAreVain(own, facts.missingRevocations);
    return vain ?? (facts.keyFiles ? filesFinding(own, facts) : askingFinding(own, facts));
  });
}

function commandIn(own: SshdSettings): { readonly command: string; readonly asksUs: boolean } {
  const command = settingOf(own, "AuthorizedKeysCommand") ?? "none";
  return { command, asksUs: /\bkeys %u\b/.test(command) && /rollcall/.test(command) };
}

/** Without key files nothing but the command counts. */
function askingFinding(own: SshdSettings, { commandFault, commandLacks }: SshdFacts): Finding {
  const { command, asksUs } = commandIn(own);
  if (!asksUs) {
    return broken(
      `keys.files is off, and sshd does not ask Rollcall: AuthorizedKeysCommand is ${quoted(command)}`,
      "Run: rollcall setup. It says what is in the way of asking, if anything is.",
    );
  }
  const finding = commandFinding(own, { command, commandFault });
  const lacks = commandLacks.known ? commandLacks.value : undefined;
  return finding.verdict === "ok" && lacks !== undefined
    ? warning(
        `AuthorizedKeysCommand runs as ${quoted(settingOf(own, "AuthorizedKeysCommandUser"))}, and not everybody can read ${lacks}`,
        `Run: chmod o+r ${lacks} (o+x for a directory), unless a group of that user's may.`,
      )
    : finding;
}

function filesFinding(own: SshdSettings, { keysDirectory, commandFault }: SshdFacts): Finding {
  const setup = `Run: rollcall setup. By hand: "AuthorizedKeysFile ${keysDirectory}/%u" in /etc/ssh/sshd_config.d/, before any other such line, then reload sshd.`;
  const files = keyFilesOf(own);
  const { command, asksUs } = commandIn(own);
  if (files.some((file) => file.replaceAll(/\/+/g, "/") === `${keysDirectory}/%u`)) {
    return command === "none" || asksUs
      ? ok(`AuthorizedKeysFile ${files.join(" ")}`)
      : warning(
          `AuthorizedKeysFile has our files, and AuthorizedKeysCommand ${quoted(command)} gives further keys, which Rollcall cannot revoke`,
          'Write "AuthorizedKeysCommand none", then reload sshd.',
        );
  }
  if (!asksUs) {
    return broken(
      `AuthorizedKeysFile ${quoted(files.join(" ") || "none")} leads to no file of ${keysDirectory}, and AuthorizedKeysCommand is ${quoted(command)}`,
      setup,
    );
  }
  return commandFinding(own, { command, commandFault });
}

function commandFinding(
  own: SshdSettings,
  { command, commandFault }: Pick<SshdFacts, "commandFault"> & { readonly command: string },
): Finding {
  const user = settingOf(own, "AuthorizedKeysCommandUser") ?? "none";
  if (user === "none") {
    return broken(
      "AuthorizedKeysCommand has no user to run as, so sshd does not run it",
      'Write "AuthorizedKeysCommandUser nobody", then reload sshd.',
    );
  }
  return about(commandFault, (fault) =>
    fault === undefined
      ? ok(`AuthorizedKeysCommand ${command}`)
      : broken(
          `sshd does not run AuthorizedKeysCommand: ${fault}`,
          "The program and every directory above it must be root's, and writable by root alone.",
        ),
  );
}
