/**
 * Records as an attacker, or a careless script, would make them; and directories made of sound ones.
 */

import fc from "fast-check";
import type { Directory } from "../../src/model/directory.ts";
import type { GroupDraft, UserDraft } from "../../src/model/draft.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { aUserDraft, BEFORE, RULES, someDrafts } from "./drafts.ts";
import { aKey } from "./records.ts";

/** The directory of some sound users. */
export function aDirectoryOf(...users: readonly Partial<UserDraft>[]): Directory {
  const drafts = users.map((fields, nth) => aUserDraft(nth + 1, fields));
  return validateDirectory(someDrafts(drafts), RULES, BEFORE).directory;
}

/** Text that has broken tools before, and any other text. */
export function wildText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(
      "evil\nroot2:x:0:0::/root:/bin/bash",
      "a:b:c",
      "..",
      "../../etc/cron.d/x",
      "\u202eevil\u2066",
      "\ud800",
      "a\0b",
      "x\ry",
      "x\u2028y",
      "',  'ssh-ed25519 AAAA",
      "\\', __import__('os')",
      "# comment",
      " ",
      "%s%n",
      "$(id)",
    ),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ maxLength: 400 }),
  );
}

function wildName(): fc.Arbitrary<unknown> {
  const names = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,10}$/);
  return fc.oneof(
    { weight: 4, arbitrary: names },
    fc.constantFrom("root", "sudo", "user1", "docker"),
    wildValue(),
  );
}

function wildId(): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 900, max: 1100 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1000, max: 2_147_483_647 }) },
    fc.integer({ min: 1000, max: 70_000 }).map(String),
    fc.constantFrom(
      0,
      -1,
      27,
      65_534,
      65_535,
      2_147_483_648,
      4_294_967_295,
      "0",
      "-1",
      "0x3e8",
      " 1000",
      "1000\n",
      1.5,
    ),
    wildValue(),
  );
}

function wildKeys(): fc.Arbitrary<unknown> {
  const key = fc.tuple(fc.nat(5), wildText()).map(([seed, comment]) => aKey(seed, comment));
  const line = fc.oneof(
    { weight: 3, arbitrary: key },
    wildText(),
    key.map((text) => `command="id" ${text}`),
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.array(line, { maxLength: 4 }) },
    line,
    fc.array(fc.record({ value: line })),
    wildValue(),
  );
}

function wildValue(): fc.Arbitrary<unknown> {
  return fc.oneof(wildText(), fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined), fc.constant(null));
}

/** A user record of which anything may be wrong. */
export function wildUserDraft(): fc.Arbitrary<UserDraft> {
  return fc
    .record({
      id: fc.uuid(),
      name: wildName(),
      uid: wildId(),
      gid: fc.option(wildId(), { nil: "same" }),
      gecos: wildValue(),
      home: fc.oneof(fc.constantFrom("/home/user1", "/home", "/", "/root", "/home/../root"), wildValue()),
      shell: fc.oneof(fc.constantFrom("/bin/bash", "/bin/zsh", "/bin/evil"), wildValue()),
      keys: wildKeys(),
      active: fc.oneof({ weight: 4, arbitrary: fc.boolean() }, wildValue()),
      groups: fc.array(fc.constantFrom("g-1", "g-2", "nowhere"), { maxLength: 2 }),
    })
    .map((draft) => ({ ...draft, gid: draft.gid === "same" ? draft.uid : draft.gid }));
}

/** A group record of which anything may be wrong. */
export function wildGroupDraft(): fc.Arbitrary<GroupDraft> {
  return fc.record({
    id: fc.constantFrom("g-1", "g-2", "g-3"),
    name: wildName(),
    gid: wildId(),
    members: fc.array(
      fc.record({
        id: fc.constantFrom("u-1", "u-2", "g-1", "g-2", "g-3", "nowhere"),
        kind: fc.constantFrom("user" as const, "group" as const, undefined),
      }),
      { maxLength: 4 },
    ),
  });
}
