/**
 * The program that tests start: the one that ships, which `run-tiers.ts` builds before them, else its sources.
 */

import { relative } from "node:path";

/** Of this very checkout, with a slash at its end. */
export const REPOSITORY = new URL("../..", import.meta.url).pathname;

/** What tests are told by, in their environment: the path of a built program. */
export const BUILT = "ROLLCALL_BUILT";

/** Path of what Node runs. */
export const MAIN = process.env[BUILT] ?? `${REPOSITORY}src/main.ts`;

/** The same below the repository. */
export const MAIN_IN_REPOSITORY = relative(REPOSITORY, MAIN);
