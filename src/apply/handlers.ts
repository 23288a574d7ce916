/**
 * Where steps are carried out: one handler for each kind, in one file for each managed thing.
 */

import type { GrantKeys, Step } from "../model/plan.ts";
import { applyPublishMap } from "./caches.ts";
import { applyCreateHome } from "./homes.ts";
import { applyGrantKeys, applyRevokeKeys } from "./keys.ts";
import { applyKeepLedger } from "./ledger.ts";
import { applyRemoveLeftover } from "./leftovers.ts";
import { applyEndSessions } from "./sessions.ts";
import { applyWriteSudo } from "./sudo.ts";

/** What carrying out a plan takes from the configuration. */
export interface ApplySettings {
  readonly root: string;
  readonly caches: { readonly directory: string };
  readonly keys: { readonly directory: string };
  readonly sudo: { readonly file: string };
  readonly state: { readonly directory: string };
  readonly homes: { readonly mode: number; readonly skeleton: string };
}

/** A handler for every kind of step; a new kind without one does not compile. */
export type Handlers = {
  readonly [Kind in Exclude<Step["kind"], "grant-keys">]: (
    step: Extract<Step, { kind: Kind }>,
  ) => Promise<void>;
} & {
  /** Many together, because there is one for each user: why each of them failed, undefined for what is done. */
  readonly "grant-keys": (steps: readonly GrantKeys[]) => Promise<readonly unknown[]>;
};

/** The real handlers. */
export function handlersFor(settings: ApplySettings): Handlers {
  return {
    "remove-leftover": (step) => applyRemoveLeftover(step, settings),
    "revoke-keys": (step) => applyRevokeKeys(step, settings),
    "end-sessions": (step) => applyEndSessions(step, settings),
    "write-sudo": (step) => applyWriteSudo(step, settings),
    "keep-ledger": (step) => applyKeepLedger(step, settings),
    "publish-map": (step) => applyPublishMap(step, settings),
    "create-home": (step) => applyCreateHome(step, settings),
    "grant-keys": (steps) => applyGrantKeys(steps, settings),
  };
}
