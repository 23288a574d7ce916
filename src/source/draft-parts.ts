/**
 * Some of the drafts in a text: found in it, and exchanged in it. Of all other lines nothing is made.
 *
 * In: the lines of `draft-lines.ts`, and places or ids. Out: drafts; or the lines with others in their places.
 */

import { createHash } from "node:crypto";
import type { Drafts, GroupDraft, RecordIds, UserDraft } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import { type Heading, headingFrom, type LineParser, ROWS_PER_LINE, readSurely } from "./draft-lines.ts";
import { groupFrom, groupRow, userFrom, userRow } from "./draft-rows.ts";
import { sharedTexts } from "./drafts.ts";

/** Drafts by their places in both lists, from 0. */
export interface Patches {
  readonly users: ReadonlyMap<number, UserDraft>;
  readonly groups: ReadonlyMap<number, GroupDraft>;
}

/** Where drafts stand, from 0. */
export interface Places {
  readonly users: ReadonlySet<number>;
  readonly groups: ReadonlySet<number>;
}

/** Which drafts are looked for. */
export type Wanted = { readonly ids: RecordIds } | { readonly places: Places };

/** Those that were found, and out of how many. */
export interface PickedDrafts extends Patches {
  readonly counts: Heading;
  /** Of all of them, as {@link readSurely} has it. */
  readonly digest: string;
}

/** Whether there is nothing to put anywhere. */
export function isEmpty({ users, groups }: Patches): boolean {
  return users.size + groups.size === 0;
}

/** Drafts with others in the places of some. */
export function withPatches({ users, groups, problems }: Drafts, patches: Patches): Drafts {
  return { users: exchanged(users, patches.users), groups: exchanged(groups, patches.groups), problems };
}

function exchanged<Draft>(drafts: readonly Draft[], patches: ReadonlyMap<number, Draft>): readonly Draft[] {
  return patches.size === 0 ? drafts : drafts.map((draft, place) => patches.get(place) ?? draft);
}

/** Finds some drafts; undefined where the lines are not whole, or of other settings. */
export async function pickDrafts(
  settings: string,
  lines: AsyncIterable<Buffer>,
  wanted: Wanted,
): Promise<PickedDrafts | undefined> {
  const choice = "ids" in wanted ? choiceByIds(wanted.ids) : choiceByPlaces(wanted.places);
  const read = await readSurely(lines, createPicker(settings, choice));
  return read && { ...read.result, digest: read.digest };
}

function createPicker(settings: string, choice: Choice): LineParser<Omit<PickedDrafts, "digest">> {
  const users = new Map<number, UserDraft>();
  const groups = new Map<number, GroupDraft>();
  const pick = drafterInto(users, groups);
  let counts: Heading | undefined;
  let spans: readonly Span[] = [];
  let nth = 0;
  return {
    wants(line) {
      const span = spans[nth];
      return span === undefined || choice.mayBeIn(line, span);
    },
    add(value) {
      if (counts === undefined) {
        counts = headingFrom(value, settings);
        spans = counts === undefined ? [] : spansOf(counts);
        return counts !== undefined;
      }
      const span = spans[nth];
      nth += 1;
      if (span === undefined || (value !== undefined && !Array.isArray(value))) {
        return false;
      }
      (value ?? []).forEach((row: unknown, at: number) => {
        const place = span.start + at;
        if (choice.isWanted(row, { list: span.list, place })) {
          pick(row, { list: span.list, place });
        }
      });
      return true;
    },
    finish: () => (counts !== undefined && nth === spans.length ? { users, groups, counts } : undefined),
  };
}

function drafterInto(users: Map<number, UserDraft>, groups: Map<number, GroupDraft>) {
  const shared = sharedTexts();
  const put = <Draft>(into: Map<number, Draft>, place: number, draft: Draft | undefined) =>
    draft === undefined ? undefined : into.set(place, draft);
  return (row: unknown, { list, place }: RowPlace) =>
    list === "users" ? put(users, place, userFrom(row, shared)) : put(groups, place, groupFrom(row));
}

/** Where a row stands. */
interface RowPlace {
  readonly list: keyof Heading;
  readonly place: number;
}

/** Which rows are looked for, and which lines need not be parsed for them. */
interface Choice {
  mayBeIn(line: Buffer, span: Span): boolean;
  isWanted(row: unknown, at: RowPlace): boolean;
}

function choiceByPlaces(places: Places): Choice {
  const linesOf = (list: keyof Places) => new Set([...places[list]].map(lineOf));
  const lines = { users: linesOf("users"), groups: linesOf("groups") };
  return {
    mayBeIn: (_, { list, start }) => list !== "problems" && lines[list].has(lineOf(start)),
    isWanted: (_, { list, place }) => list !== "problems" && places[list].has(place),
  };
}

/** To look for so many ids in the bytes takes less than to parse them all. */
const FEW = 16;

function choiceByIds(ids: RecordIds): Choice {
  const startsOf = (list: keyof RecordIds) =>
    ids[list].size > FEW ? undefined : [...ids[list]].map((id) => Buffer.from(`[${JSON.stringify(id)},`));
  const starts = { users: startsOf("users"), groups: startsOf("groups") };
  return {
    mayBeIn: (line, { list }) =>
      list !== "problems" && (starts[list]?.some((start) => line.includes(start)) ?? true),
    isWanted(row, { list }) {
      const [id]: unknown[] = Array.isArray(row) ? row : [];
      return list !== "problems" && typeof id === "string" && ids[list].has(id);
    },
  };
}

/** Which rows a line has: of which list, from which place on. */
interface Span {
  readonly list: keyof Heading;
  readonly start: number;
}

const LISTS = ["users", "groups", "problems"] as const;

/** Of the lines between the first and the last. */
function spansOf(counts: Heading): Span[] {
  return LISTS.flatMap((list) =>
    Array.from({ length: Math.ceil(counts[list] / ROWS_PER_LINE) }, (_, nth) => ({
      list,
      start: nth * ROWS_PER_LINE,
    })),
  );
}

function lineOf(place: number): number {
  return Math.floor(place / ROWS_PER_LINE);
}

/** Lines on their way to a file. */
export interface PatchedLines {
  /** Each lasts until the next is asked for. Throws where the old ones are of other settings, or end too soon. */
  readonly lines: AsyncIterable<Uint8Array>;
  /** Of all lines but the last; known once they were made. */
  readonly digest: () => string;
}

/** The lines of drafts with {@link withPatches}, out of those without. */
export function patchLines(
  settings: string,
  before: AsyncIterable<Buffer>,
  { users, groups }: Patches,
): PatchedLines {
  const rows = { users: rowsByLine(users, userRow), groups: rowsByLine(groups, groupRow), problems: NO_ROWS };
  let digest: string | undefined;
  async function* lines() {
    const hash = createHash("sha256");
    let spans: readonly Span[] | undefined;
    let nth = 0;
    for await (const line of before) {
      if (spans !== undefined && nth === spans.length) {
        digest = hash.digest("hex");
        yield Buffer.from(`${JSON.stringify({ digest })}\n`);
        return;
      }
      const span = spans?.[nth];
      const after = span === undefined ? line : patched(line, rows[span.list].get(lineOf(span.start)));
      nth += spans === undefined ? 0 : 1;
      spans ??= spansOf(headingOf(line, settings));
      hash.update(after);
      yield after;
    }
    throw new Error("what is remembered ended too soon");
  }
  return { lines: lines(), digest: () => digest ?? "" };
}

function headingOf(line: Buffer, settings: string): Heading {
  const heading = headingFrom(parseJson(line.toString("utf8")), settings);
  if (heading === undefined) {
    throw new Error("what is remembered is of other settings");
  }
  return heading;
}

/** Rows by their places in a line, by the number of the line. */
type RowsByLine = ReadonlyMap<number, ReadonlyMap<number, unknown>>;

const NO_ROWS: RowsByLine = new Map();

function rowsByLine<Draft>(drafts: ReadonlyMap<number, Draft>, row: (draft: Draft) => unknown): RowsByLine {
  const byLine = Map.groupBy(drafts, ([place]) => lineOf(place));
  const rowsOf = (some: readonly (readonly [number, Draft])[]) =>
    new Map(some.map(([place, draft]) => [place % ROWS_PER_LINE, row(draft)]));
  return new Map([...byLine].map(([line, some]) => [line, rowsOf(some)]));
}

function patched(line: Buffer, rows: ReadonlyMap<number, unknown> | undefined): Buffer {
  if (rows === undefined) {
    return line;
  }
  const before = parseJson(line.toString("utf8"));
  const after = Array.isArray(before) ? before.map((row: unknown, place) => rows.get(place) ?? row) : [];
  return Buffer.from(`${JSON.stringify(after)}\n`);
}
