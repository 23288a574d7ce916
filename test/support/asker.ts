/**
 * What a daemon at rest does with an IAM, without the daemon: pulls, proves the way of asking, asks.
 */

import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { createNews, type News } from "../../src/daemon/news.ts";
import type { Surroundings } from "../../src/daemon/surroundings.ts";
import { pull } from "../../src/daemon/wire-source.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import type { Asking } from "../../src/source/remembered.ts";
import type { Resource } from "./fake-iam.ts";
import type { NodeRoot } from "./node-root.ts";

export interface Asker {
  readonly news: News;
  /** Why the IAM is not asked any more, each time that was said. */
  readonly distrusted: string[];
  /** Fetches everything and remembers it. */
  sync(): Promise<void>;
  /** What there is to ask with after a sync. */
  settle(vainly?: Asking): Promise<Asking>;
  isUnchanged(asking: Asking): Promise<boolean>;
  review(asking: Asking): Promise<void>;
}

/** Under the configuration of a node. */
export async function createAsker(node: NodeRoot, clock = systemClock): Promise<Asker> {
  const settings = await loadConfig(join(node.path, "etc/rollcall/rollcall.yaml"));
  const around = surroundingsOf(node, clock);
  const distrusted: string[] = [];
  const news = createNews(around, (_, why) => distrusted.push(why));
  const { signal } = new AbortController();
  return {
    news,
    distrusted,
    sync: async () => (await pull(settings, around, signal)).remember(),
    settle: (vainly) => news.settle({ settings, source: "iam", ...(vainly && { vainly }) }, signal),
    isUnchanged: async (asking) => (await news.ask(asking, settings, signal)).isUnchanged,
    review: (asking) => news.review(asking, settings, signal),
  };
}

/** What lies outside the configuration of a node. */
export function surroundingsOf(node: NodeRoot, clock: Clock): Surroundings {
  return {
    root: node.path,
    tokens: { credentialsDirectory: undefined, token: undefined },
    clock,
    loginUsers: undefined,
    inStepWith: undefined,
    random: Math.random,
    onProgress: () => undefined,
  };
}

/** A record that changed last at a time, as RFC 7643 §3.1 has it. */
export function changedAt(resource: Resource, ms: number): Resource {
  return { ...resource, meta: { lastModified: new Date(ms).toISOString() } };
}
