/**
 * Asks an IAM without ETags whether anything is new: how many records there are, and which changed last.
 *
 * In: what a pull saw of both lists. Out: yes or no, after four requests at most. Whatever the server does not answer as it should,
 * because it cannot filter, counts wrong, or has a clock that went back, means that something is new.
 */

import { Failure } from "../model/failure.ts";
import type { Body } from "./answers.ts";
import { together } from "./lanes.ts";
import { digestOf, isCertain, type ListMark, LONGEST_PULL_MS, MAX_LATEST, type Marks } from "./latest.ts";
import { pageUrl, parseQuery } from "./query.ts";
import { type ListResponse, readListResponse } from "./schema.ts";
import type { ScimClient } from "./scim-client.ts";
import type { ListSettings, ScimSettings } from "./settings.ts";
import { lastModifiedOf } from "./versions.ts";

/** What is asked, and whom. */
export interface LatestProbe {
  readonly settings: Pick<ScimSettings, "url" | "users" | "groups">;
  readonly marks: Marks;
  /** What is asked for where only the total matters: no record, or one from servers that cannot do without. */
  readonly least: 0 | 1;
  /** This node's time, for a server that does not tell its own. */
  readonly nowMs: number;
}

/** True only when both lists have as many records as they had, and those that changed last are the same, word for word. */
export async function nothingLater(
  client: ScimClient,
  probe: LatestProbe,
  signal: AbortSignal,
): Promise<boolean> {
  const { settings, marks } = probe;
  const askUntil = (until: AbortSignal) => async (question: Question) => {
    if (!(await holds(client, { question, base: settings.url, nowMs: probe.nowMs }, until))) {
      throw new Failure("iam-invalid", "The answer is another.");
    }
  };
  try {
    const questions = (["users", "groups"] as const).flatMap((kind) =>
      questionsOf(settings[kind], marks[kind], probe.least),
    );
    await together(signal, (until) => Promise.all(questions.map(askUntil(until))));
    return true;
  } catch (error) {
    if (error instanceof Failure && !signal.aborted) {
      return false;
    }
    throw error;
  }
}

/** One request, and the answer to it when nothing is new. */
interface Question {
  readonly list: ListSettings;
  readonly page: Readonly<Record<string, string>>;
  readonly total: number;
  readonly mark: ListMark;
  /** Whether the records that come are those that the mark is of. */
  readonly isAboutLatest: boolean;
}

function questionsOf(list: ListSettings, mark: ListMark, least: 0 | 1): Question[] {
  const { total, since, count } = mark;
  const all = { list, page: { count: String(least) }, total, mark, isAboutLatest: false };
  if (since === null) {
    return [all];
  }
  // One more than there should be, so that more are seen.
  const page = pageSince(list, since, count + 1);
  return [all, { list, page, total: count, mark, isAboutLatest: true }];
}

function pageSince(list: ListSettings, since: string, count: number): Record<string, string> {
  return { startIndex: "1", ...filterBy(list, `meta.lastModified ge "${since}"`), count: String(count) };
}

/** One list that is asked for what changed last. */
export interface LatestOfList {
  readonly base: string;
  readonly list: ListSettings;
  readonly mark: ListMark;
  /** This node's time, for a server that does not tell its own. */
  readonly nowMs: number;
}

/**
 * The records that are as new as those of the mark, or newer; undefined where the total is another, so that somebody came or
 * went, where they are more than one page of any server has, and where the answer is not what was asked for.
 */
export async function latestRecords(
  client: ScimClient,
  { base, list, mark, nowMs }: LatestOfList,
  signal: AbortSignal,
): Promise<readonly unknown[] | undefined> {
  const { since, total, count } = mark;
  const all = await askFor(client, { base, list, page: { count: "1" } }, signal);
  if (all?.totalResults !== total || since === null) {
    return all?.totalResults === total ? [] : undefined;
  }
  const latest = await askFor(client, { base, list, page: pageSince(list, since, MAX_LATEST + 1) }, signal);
  const records = latest?.Resources ?? [];
  const isWhole = records.length === latest?.totalResults && records.length >= count;
  const isRecent = (record: unknown) =>
    isCertain(record) && (lastModifiedOf(record) ?? Number.NEGATIVE_INFINITY) >= Date.parse(since);
  const isSound =
    records.length <= MAX_LATEST && records.every(isRecent) && isAfter(latest?.serverMs ?? nowMs, mark);
  return isWhole && isSound ? records : undefined;
}

/** One page, with the server's clock; undefined for an answer that is none. */
async function askFor(
  client: ScimClient,
  { base, list, page }: Pick<LatestOfList, "base" | "list"> & Pick<Question, "page">,
  signal: AbortSignal,
): Promise<(ListResponse & Pick<Body, "serverMs">) | undefined> {
  // A sync asks again for as long as it is worth it.
  const request = { what: "Asking for changes", url: pageUrl(base, list, page), retries: 0 };
  const fetched = await client.fetch(request, signal);
  const answer = readListResponse(fetched.kind === "body" ? fetched.json : undefined);
  return fetched.kind !== "body" || "fault" in answer ? undefined : { ...answer, serverMs: fetched.serverMs };
}

/** With the admin's own filter, where there is one; the name of a parameter may be written in any case. */
function filterBy({ query }: ListSettings, condition: string): Record<string, string> {
  const own = parseQuery(query).filter(([name, value]) => name.toLowerCase() === "filter" && value !== "");
  const all = [...own.map(([, value]) => `(${value})`), condition].join(" and ");
  return { [own[0]?.[0] ?? "filter"]: all };
}

async function holds(
  client: ScimClient,
  { question, base, nowMs }: { readonly question: Question; readonly base: string; readonly nowMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const { list, page, total, mark, isAboutLatest } = question;
  const answer = await askFor(client, { base, list, page }, signal);
  if (answer?.totalResults !== total) {
    return false;
  }
  const records = answer.Resources ?? [];
  if (!isAboutLatest) {
    return records.length <= Number(page["count"]);
  }
  const isSame = records.length === mark.count && digestOf(records) === mark.digest;
  return isSame && isAfter(answer.serverMs ?? nowMs, mark);
}

/** Times must count from before the pull began: a record from the future, or a clock that went back, would hide what is changed now. */
function isAfter(serverMs: number, { since }: ListMark): boolean {
  return since === null || serverMs - LONGEST_PULL_MS >= Date.parse(since);
}
