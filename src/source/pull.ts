/**
 * One pull: everything the IAM says about users and groups, whole or not at all.
 *
 * In: settings, and the doors to HTTP and time. Out: drafts, or what stands in the places of some that are remembered. A list
 * that changed under the pager is fetched again, a few times, before the run fails.
 */

import type { GroupDraft, UserDraft } from "../model/draft.ts";
import { Failure } from "../model/failure.ts";
import type { Clock } from "../platform/clock.ts";
import { isDispensable } from "./answers.ts";
import { pullLatest } from "./changed-latest.ts";
import { type PagesParts, pullChanged } from "./changed-pages.ts";
import type { Paging, WholeList } from "./collector.ts";
import { groupReader, type ReadRecord, userReader } from "./drafts.ts";
import { together } from "./lanes.ts";
import { LONGEST_PULL_MS, type Marks } from "./latest.ts";
import { fetchList } from "./pages.ts";
import { type Pulled, pulledFrom } from "./pulled.ts";
import { pageUrl } from "./query.ts";
import type { Remembered } from "./remembered.ts";
import { ServiceProviderConfig } from "./schema.ts";
import type { ScimClient } from "./scim-client.ts";
import type { AttributePaths, ScimSettings } from "./settings.ts";

/** Tells how far a pull is: which list, how many resources so far, of how many. */
export type OnProgress = (list: string, fetched: number, total: number | undefined) => void;

/** The parts of a pull over HTTP. */
export interface PullParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  readonly attributes: AttributePaths;
  readonly remembered: Remembered;
  /** What is known of the pages that changed, see {@link PagesParts}. */
  readonly changedPages: PagesParts["changedPages"];
  /** To ask for the records that changed last, where the IAM has proven that it can be asked so. */
  readonly latest: Marks | undefined;
  readonly clock: Clock;
  readonly onProgress: OnProgress;
}

const LIST_ATTEMPTS = 3;

/** Asks first for what changed, where the last pull left something to ask with. */
export async function pullScim(parts: PullParts, signal: AbortSignal): Promise<Pulled> {
  const { client, latest: marks, clock } = parts;
  const changed =
    (await pullChanged(parts, signal)) ??
    (marks && (await pullLatest({ ...parts, marks, nowMs: clock.now() }, signal)));
  if (changed !== undefined) {
    return changed;
  }
  const start = clock.monotonicMs();
  const { users, groups } = await fetchBoth(parts, signal);
  const isPrompt = clock.monotonicMs() - start <= LONGEST_PULL_MS;
  const etags = users.etags && groups.etags ? { ...users.etags, ...groups.etags } : {};
  const mayShift = users.mayShift || groups.mayShift;
  const pulled = pulledFrom({ users, groups }, { ...client.traffic, mayShift });
  return { ...pulled, marks: isPrompt ? pulled.marks : undefined, etags };
}

/**
 * Both lists. Nearly every server pages by index, so that their first pages are asked for along with how it wants to be
 * asked; where the answer is another, they are given up.
 */
async function fetchBoth(parts: PullParts, signal: AbortSignal): Promise<BothLists> {
  const { client, settings } = parts;
  if (settings.paging !== "auto") {
    return fetchLists(parts, { method: settings.paging }, signal);
  }
  const method = await together(signal, async (until) => {
    const offered = offeredMethod(client, settings, until);
    const mayGoOn = async () => {
      if ((await offered) !== "index") {
        throw new Error("The server wants to be asked by cursor.");
      }
    };
    const lists = fetchLists(parts, { method: "index", mayGoOn }, until);
    // How the server wants to be asked comes first, also among failures.
    lists.catch(() => undefined);
    return (await offered) === "index" ? lists : "cursor";
  });
  return method === "cursor" ? fetchLists(parts, { method }, signal) : method;
}

interface BothLists {
  readonly users: WholeList<UserDraft>;
  readonly groups: WholeList<GroupDraft>;
}

/** Both lists at a time; when one fails, the other is given up. */
async function fetchLists(parts: PullParts, paging: Paging, signal: AbortSignal): Promise<BothLists> {
  const { user, group } = parts.attributes;
  const [users, groups] = await together(signal, (both) =>
    Promise.all([
      fetchWhole(parts, { kind: "user", paging, read: userReader(user) }, both),
      fetchWhole(parts, { kind: "group", paging, read: groupReader(group) }, both),
    ]),
  );
  return { users, groups };
}

/**
 * RFC 9865 §4. Cursors are followed one page after the other, so they are used only where the server
 * prefers them or knows nothing else; a server without this resource pages by index.
 */
async function offeredMethod(
  client: ScimClient,
  settings: ScimSettings,
  signal: AbortSignal,
): Promise<"index" | "cursor"> {
  const url = pageUrl(settings.url, { path: "ServiceProviderConfig", query: "" }, {});
  try {
    const fetched = await client.fetch({ what: "Fetching ServiceProviderConfig", url, retries: 0 }, signal);
    const config = ServiceProviderConfig.safeParse(fetched.kind === "body" ? fetched.json : undefined);
    const { cursor, index, defaultPaginationMethod } = config.data?.pagination ?? {};
    return cursor === true && (index === false || defaultPaginationMethod === "cursor") ? "cursor" : "index";
  } catch (error) {
    if (isDispensable(error)) {
      return "index";
    }
    throw error;
  }
}

/** How one list is fetched, and what is made of it. */
interface ListPlan<Draft> {
  readonly kind: "user" | "group";
  readonly paging: Paging;
  readonly read: ReadRecord<Draft>;
}

async function fetchWhole<Draft extends { readonly id: string }>(
  { client, settings, clock, onProgress }: PullParts,
  { kind, paging, read }: ListPlan<Draft>,
  signal: AbortSignal,
): Promise<WholeList<Draft>> {
  const list = kind === "user" ? settings.users : settings.groups;
  const onPage = (fetched: number, total: number | undefined) => onProgress(list.path, fetched, total);
  // So that users stand before groups, whichever answer comes first.
  onPage(0, undefined);
  const request = { base: settings.url, kind, list, pageSize: settings.pageSize, paging, onPage };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchList(client, { request, read }, signal);
    } catch (error) {
      const mayPass = error instanceof Failure && error.code === "iam-incomplete" && attempt < LIST_ATTEMPTS;
      if (!mayPass) {
        throw error;
      }
      await clock.sleep(settings.retryDelayMs * attempt, signal);
    }
  }
}
