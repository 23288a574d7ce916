/**
 * What the daemon answers on its two sockets.
 *
 * `health.sock` is for everybody on this node: whether it lives, whether it is ready, counts. `control.sock` is for
 * root: the same with every detail, and sync now.
 */

import * as z from "zod";
import { parseJson } from "../model/json.ts";
import type { TurnResult } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import { plain, type Route, type SocketAnswer, type SocketRequest } from "../platform/socket-server.ts";
import type { Metrics } from "../report/metrics.ts";
import {
  type FullStatus,
  fullStatusOf,
  type PublicStatus,
  publicStatusOf,
  type View,
} from "../report/status.ts";
import type { Asked } from "./decisions.ts";

/** What the endpoints ask of the daemon. */
export interface EndpointParts {
  readonly view: () => View;
  readonly metrics: Metrics;
  readonly residentBytes: () => number;
  readonly clock: Clock;
  readonly sync: (asked: Asked) => Promise<TurnResult>;
  readonly reload: () => void;
}

type Table = Readonly<Record<string, (request: SocketRequest) => Promise<SocketAnswer>>>;

/** For `health.sock`. */
export function healthRoutes(parts: EndpointParts): Route {
  return routeBy({ ...probes(parts), "GET /status": async () => json(publicStatusOf(parts.view())) });
}

/** For `control.sock`. */
export function controlRoutes(parts: EndpointParts): Route {
  return routeBy({
    ...probes(parts),
    "GET /status": async () => json(fullStatusOf(parts.view())),
    "POST /sync": async ({ body }) => {
      const asked = Ask.safeParse(parseJson(body === "" ? "{}" : body));
      return asked.success
        ? json(await parts.sync(asked.data))
        : plain(
            400,
            'The body must be JSON such as {} or {"accepted": "PLAN-ID"} or {"accepts": ["user:NAME"]} or {"offline": true}.',
          );
    },
    "POST /reload": async () => {
      parts.reload();
      return plain(202, "The configuration will be read again.");
    },
  });
}

const Ask = z.strictObject({
  accepted: z.string().max(64).optional(),
  accepts: z.union([z.array(z.string().max(64)).max(10_000), z.literal("all")]).optional(),
  offline: z.boolean().optional(),
});

/** A figure that was computed less than a second ago is good enough for everybody who asks. */
const FRESH_MS = 1000;

function probes({ view, metrics, residentBytes, clock }: EndpointParts): Table {
  let rendered: { readonly atMs: number; readonly text: Promise<string> } | undefined;
  const text = () => {
    const now = clock.monotonicMs();
    if (rendered === undefined || now - rendered.atMs > FRESH_MS) {
      rendered = { atMs: now, text: metrics.render(view(), residentBytes()) };
    }
    return rendered.text;
  };
  return {
    "GET /healthz": async () => plain(200, "alive"),
    "GET /readyz": async () =>
      view().isReady
        ? plain(200, "ready")
        : plain(503, "not ready: no users are in place, or they are too old"),
    "GET /metrics": async () => ({ status: 200, contentType: metrics.contentType, body: await text() }),
  };
}

function routeBy(table: Table): Route {
  return async (request) => {
    const own = table[`${request.method === "HEAD" ? "GET" : request.method} ${request.path}`];
    return own === undefined
      ? plain(404, `There is nothing here. Try: ${Object.keys(table).join(", ")}`)
      : own(request);
  };
}

function json(value: PublicStatus | FullStatus | TurnResult): SocketAnswer {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}
