/**
 * What must change in the drop-in of sudoers(5).
 *
 * In: the rules, the groups that are served, and the file. Out: a step that takes rights away before anything else, and
 * one that gives them after everything else. A group that is not served has no line: whoever took its name got nothing.
 */

import { isOurSudoers, parseSudoers, renderSudoers, renderSudoRule } from "../formats/sudoers.ts";
import type { Directory } from "../model/directory.ts";
import { didYouMean } from "../model/nearest.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, WriteSudo } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { PlanSettings } from "./settings.ts";

/** What the drop-in needs. */
export interface SudoPlan {
  readonly revoke: readonly WriteSudo[];
  readonly grant: readonly WriteSudo[];
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
}

/** 0440, as sudo wants it. */
const MODE = 0o440;

/** Plans the whole file; without rules and without a file there is nothing to do. */
export function planSudo(
  { groups }: Directory,
  observed: Observed,
  rules: PlanSettings["sudo"]["groups"],
): SudoPlan {
  const served = new Map(groups.flatMap(({ id, name }) => (id === undefined ? [] : [[String(name), name]])));
  const wanted = rules.flatMap((rule) => {
    const group = served.get(rule.group);
    return group === undefined ? [] : [renderSudoRule({ ...rule, group })];
  });
  const problems = rules
    .filter(({ group }) => !served.has(group))
    .map(({ group }) => unknown(group, [...served.keys()]));
  const file = observed.sudoers;
  const text = file === undefined ? undefined : Buffer.from(file.bytes).toString("utf8");
  if (wanted.length === 0 && !isOurSudoers(text ?? "")) {
    return { revoke: [], grant: [], changes: [], problems };
  }
  const before = parseSudoers(text ?? "");
  const kept = before.filter((line) => wanted.includes(line));
  const content = wanted.length === 0 ? undefined : renderSudoers(wanted);
  const isAttributed =
    file === undefined || (file.mode === MODE && (!observed.ownsFiles || (file.uid === 0 && file.gid === 0)));
  const rest = kept.length === 0 ? undefined : renderSudoers(kept);
  const takesAway = kept.length < before.length;
  const isDone = (takesAway ? rest : text) === content && (takesAway || isAttributed);
  return {
    revoke: takesAway ? [{ kind: "write-sudo", content: rest }] : [],
    grant: isDone ? [] : [{ kind: "write-sudo", content }],
    changes: [
      ...before
        .filter((line) => !wanted.includes(line))
        .map((rule) => ({ event: "sudo-revoked", rule }) as const),
      ...wanted
        .filter((line) => !before.includes(line))
        .map((rule) => ({ event: "sudo-granted", rule }) as const),
    ],
    problems,
  };
}

function unknown(group: string, groups: readonly string[]): Problem {
  const field = "sudo.groups";
  const reason = `${quoted(group)} is not served on this node${didYouMean(group, groups)}`;
  return { code: "sudo-unknown", subject: { kind: "node", id: field, name: field }, field, reason };
}
