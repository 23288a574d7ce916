/**
 * One pull: everything the IAM says about users and groups, whole or not at all.
 *
 * In: settings, and the doors to HTTP and time. Out: drafts. Each list is fetched once; a list that changed
 * under the pager is fetched again, a few times, before the run fails.
 */

import type { Drafts } from "../model/draft.ts";
import { Failure } from "../model/failure.ts";
import type { RecordVersions } from "../model/history.ts";
import type { PullStatistics } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import type { WholeList } from "./collector.ts";
import { draftsOf } from "./drafts.ts";
import { LONGEST_PULL_MS, type Marks, marksOf } from "./latest.ts";
import { fetchList } from "./pages.ts";
import { nothingChanged } from "./probe.ts";
import { pageUrl } from "./query.ts";
import type { Etags, Remembered } from "./remembered.ts";
import { ServiceProviderConfig } from "./schema.ts";
import type { ScimClient } from "./scim-client.ts";
import type { AttributePaths, ListSettings, ScimSettings } from "./settings.ts";
import { newestOf, versionsOf } from "./versions.ts";

/** Tells how far a pull is: which list, how many resources so far, of how many. */
export type OnProgress = (list: string, fetched: number, total: number | undefined) => void;

/** What one pull came to. */
export interface Pulled {
  readonly drafts: Drafts;
  readonly statistics: PullStatistics;
  /** The ETag of each page by its address; empty when the server gave none. */
  readonly etags: Etags;
  /** What can be asked for again where there are no ETags; undefined where the lists say too little. */
  readonly marks: Marks | undefined;
  readonly versions: RecordVersions;
}

/** The parts of a pull over HTTP. */
export interface PullParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  readonly attributes: AttributePaths;
  readonly remembered: Remembered | undefined;
  readonly clock: Clock;
  readonly onProgress: OnProgress;
}

const LIST_ATTEMPTS = 3;

/** Asks first whether anything changed, where the last pull left ETags to ask with. */
export async function pullScim(parts: PullParts, signal: AbortSignal): Promise<Pulled> {
  const { client, remembered } = parts;
  if (remembered !== undefined && (await nothingChanged(client, remembered.etags, signal))) {
    const statistics = { ...client.traffic, mayShift: false, unchanged: true };
    return { ...remembered, statistics, versions: new Map() };
  }
  const start = parts.clock.monotonicMs();
  const { users, groups } = await fetchBoth(parts, signal);
  const isPrompt = parts.clock.monotonicMs() - start <= LONGEST_PULL_MS;
  const resources = { users: users.resources, groups: groups.resources };
  const drafts = draftsOf(resources, parts.attributes);
  const etags = users.etags && groups.etags ? { ...users.etags, ...groups.etags } : {};
  const mayShift = users.mayShift || groups.mayShift;
  const newest = newestOf(resources);
  const statistics = {
    ...client.traffic,
    mayShift,
    unchanged: false,
    ...(newest !== undefined && { newest }),
  };
  const marks = isPrompt ? marksOf(resources) : undefined;
  return { drafts, statistics, etags, marks, versions: versionsOf(resources) };
}

/** Both lists at a time; when one fails, the other is given up. */
async function fetchBoth(parts: PullParts, signal: AbortSignal) {
  const { client, settings } = parts;
  const method = settings.paging === "auto" ? await offeredMethod(client, settings, signal) : settings.paging;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const [users, groups] = await Promise.all([
      fetchWhole(parts, { list: settings.users, method }, both),
      fetchWhole(parts, { list: settings.groups, method }, both),
    ]);
    return { users, groups };
  } finally {
    stop.abort();
  }
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
    if (error instanceof Failure && OPTIONAL.has(error.code)) {
      return "index";
    }
    throw error;
  }
}

/** No server has to offer this resource; whatever else is wrong shows with the lists themselves. */
const OPTIONAL = new Set(["iam-invalid", "iam-refused", "iam-unreachable", "iam-too-large"]);

async function fetchWhole(
  { client, settings, clock, onProgress }: PullParts,
  { list, method }: { readonly list: ListSettings; readonly method: "index" | "cursor" },
  signal: AbortSignal,
): Promise<WholeList> {
  const onPage = (fetched: number, total: number | undefined) => onProgress(list.path, fetched, total);
  const request = { base: settings.url, list, pageSize: settings.pageSize, method, onPage };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchList(client, request, signal);
    } catch (error) {
      const mayPass = error instanceof Failure && error.code === "iam-incomplete" && attempt < LIST_ATTEMPTS;
      if (!mayPass) {
        throw error;
      }
      await clock.sleep(settings.retryDelayMs * attempt, signal);
    }
  }
}
