/**
 * A translation as rollcall.yaml: every setting with what is to be said of it above it, and the rest at the end.
 */

import { Document, isMap, isScalar } from "yaml";
import { placeOf, type Remark, type Setting, type Translation } from "./translation.ts";

/** Comments are broken into lines of about this length. */
const WIDTH = 100;

/** The text of the file. */
export function renderConfig({ settings, remarks }: Translation): string {
  const document = new Document({});
  inOrder(settings).forEach(({ path, value }) => {
    document.setIn(path.split("."), document.createNode(value, { flow: true }));
  });
  document.commentBefore = commentOf(HEAD);
  const placed = new Set<Remark>();
  for (const [path, about] of Map.groupBy(remarks, ({ path }) => path)) {
    const node = path === undefined ? undefined : keyAt(document, path.split("."));
    if (node !== undefined) {
      node.commentBefore = commentOf(about.map(lineOf));
      about.forEach((remark) => placed.add(remark));
    }
  }
  const rest = remarks.filter((remark) => !placed.has(remark));
  const unknown = rest.filter(({ needsLook }) => needsLook);
  const known = rest.filter(({ needsLook }) => !needsLook);
  document.comment = commentOf([
    ...section("What was also in nsscache.conf:", known),
    ...section("What needs a look:", unknown),
    "What differs in any case:",
    ...ALWAYS.map((line) => `- ${line}`),
  ]);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

const HEAD = [
  'Made from an nsscache.conf by "rollcall import-nsscache". The comments say what the old keys were, and what is different now.',
];

const ALWAYS = [
  "Whoever is inactive in the IAM keeps the name, so that files show an owner, and has no login: no key, no group, no shell, an expired account.",
  "A record that is broken, or dangerous here, is refused by itself, with its reason; a list that is not whole is not used.",
  "Where the primary group is not in the IAM and uid and gid are the same, a private group of the user's name is made.",
  "Members of nested groups are members.",
  "Keys also go to a file for each user, see keys.directory; double ones are written once.",
];

/** The one line for a remark, as it also goes to standard error. */
export function lineOf(remark: Remark): string {
  const place = placeOf(remark);
  return place === "" ? remark.text : `${place}: ${remark.text}`;
}

function section(heading: string, remarks: readonly Remark[]): string[] {
  return remarks.length === 0 ? [] : [heading, ...remarks.map((remark) => `- ${lineOf(remark)}`), ""];
}

/** The order of the README's table, as far as this file has keys. */
const ORDER = ["iam", "attributes", "shells", "homes", "caches"];
const FIRST = ["iam.url", "iam.allowHttp", "iam.tokenFile", "iam.users.path", "iam.users.query"];

function inOrder(settings: readonly Setting[]): Setting[] {
  const rankOf = ({ path }: Setting) => {
    const first = FIRST.indexOf(path);
    return ORDER.indexOf(path.split(".")[0] ?? "") * 100 + (first < 0 ? FIRST.length : first);
  };
  return settings.toSorted((left, right) => rankOf(left) - rankOf(right));
}

/** The node of a key, which carries the comment above it. */
function keyAt(document: Document, path: readonly string[]) {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => (isScalar(key) ? key.value : key) === path.at(-1))
    : undefined;
  if (pair === undefined) {
    return undefined;
  }
  const key = isScalar(pair.key) ? pair.key : document.createNode(pair.key);
  pair.key = key;
  return isScalar(key) ? key : undefined;
}

/** Lines of a comment. What is unprintable would end it, or steer a terminal. */
function commentOf(paragraphs: readonly string[]): string {
  return paragraphs
    .flatMap((paragraph) => wrapped(paragraph.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")))
    .map((line) => (line === "" ? " " : ` ${line}`))
    .join("\n");
}

function wrapped(paragraph: string): string[] {
  const lines: string[] = [];
  let line = "";
  // What is to be pasted into a shell stays on one line.
  const [prose = "", command] = paragraph.split(/(?= install -D )/);
  for (const word of prose.split(" ")) {
    if (line !== "" && line.length + word.length >= WIDTH) {
      lines.push(line);
      line = paragraph.startsWith("- ") ? "  " : "";
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...lines, line, ...(command === undefined ? [] : [`  ${command.trim()}`])];
}
