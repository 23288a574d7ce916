/**
 * The manual page rollcall.yaml(5).
 *
 * In: the sections of the schema. Out: mdoc(7).
 */

import { PRESETS } from "../../src/config/presets.ts";
import type { Key, Section } from "./keys.ts";
import { argument, head, literal, paragraph, terms, text } from "./mdoc.ts";

/** The whole page. */
export function renderConfigPage(sections: readonly Section[], example: string): string {
  const lines = [
    ...head("ROLLCALL.YAML", 5),
    ".Sh NAME",
    ".Nm rollcall.yaml",
    ".Nd the configuration of rollcall(8)",
    ".Sh DESCRIPTION",
    ...text(
      "YAML 1.2. A key that is not listed here is a mistake; `rollcall check` shows all mistakes at once. What is left out has its default.",
    ),
    ...paragraph("A duration is a number with a unit: `ms`, `s`, `m`, `h` or `d`."),
    ...text("Paths are absolute, without a slash at their end."),
    ...text(
      "An attribute path is attribute names with slashes between them, such as `name/formatted`; an extension is one name, its URN.",
    ),
    ...paragraph(`Known attribute paths (\`iam.preset\`):`),
    ...terms(
      Object.entries(PRESETS).map(([name, { user, group }]) => [`Li ${name}`, presetLines(user, group)]),
    ),
    ...sections.flatMap(sectionLines),
    ".Sh FILES",
    ...terms([
      [
        `Pa ${argument("/etc/rollcall/rollcall.yaml")}`,
        text("The usual place; root's, and writable by root alone."),
      ],
    ]),
    ".Sh EXAMPLES",
    ...literal(example.trimEnd().split("\n")),
    ".Sh SEE ALSO",
    ".Xr rollcall 8",
  ];
  return `${lines.join("\n")}\n`;
}

function presetLines(
  user: Readonly<Record<string, string>>,
  group: Readonly<Record<string, string>>,
): string[] {
  const paths = [
    ...Object.entries(user).map(([field, path]) => `user.${field} is \`${path}\``),
    ...Object.entries(group).map(([field, path]) => `group.${field} is \`${path}\``),
  ];
  return text(`${paths.join(", ")}.`);
}

function sectionLines({ name, meaning, keys }: Section): string[] {
  return [`.Ss ${argument(name)}`, ...text(`${meaning}.`), ...terms(keys.map(keyLines))];
}

function keyLines({ key, type, fallback, meaning, examples }: Key): [string, string[]] {
  const shown = examples.filter((example) => example !== fallback);
  return [
    `Cm ${argument(key)}`,
    [
      ...text(`(${type}${fallback === undefined ? "" : `; default \`${fallback}\``})`),
      ...text(`${meaning}.`),
      ...(shown.length === 0 ? [] : text(`For example: ${shown.map((one) => `\`${one}\``).join(", ")}.`)),
    ],
  ];
}
