/**
 * The one door to the tools of Slurm. Each call ends by itself or is killed, and what goes wrong has a code.
 */

import { errorCodeOf, Failure, messageOf } from "../model/failure.ts";
import { type Command, type Finished, runTool } from "./child.ts";
import { systemClock } from "./clock.ts";

/** Counts what it runs. */
export interface SlurmTools {
  /** What the tool printed. Throws a Failure when it does not answer, may not do it, or refuses. */
  call(program: "sacctmgr" | "sacct" | "scancel" | "squeue", args: readonly string[]): Promise<string>;
  /** How many times a tool was run. */
  readonly calls: number;
}

/** Where the tools are, and how long one may take before it is killed, in milliseconds. */
export interface SlurmToolSettings {
  readonly timeout: number;
  /** The directory of sacctmgr, sacct and scancel; undefined where the system looks for programs. */
  readonly tools?: string | undefined;
  /** For SLURM_CONF; undefined where the tools know it themselves. */
  readonly conf?: string | undefined;
}

/** All calls together may take so many times the limit of one: the next sync waits for them. */
const PATIENCE = 6;
/** What is not begun with less. */
const SHORTEST_MS = 500;

/** None has run yet. */
export function createSlurmTools({ timeout, tools, conf }: SlurmToolSettings): SlurmTools {
  const env = conf === undefined ? {} : { SLURM_CONF: conf };
  const end = systemClock.monotonicMs() + PATIENCE * timeout;
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    async call(program, args) {
      calls += 1;
      const command = { program: tools === undefined ? program : `${tools}/${program}`, args, env };
      const left = end - systemClock.monotonicMs();
      if (left < SHORTEST_MS) {
        throw new Failure(
          "slurm-unanswered",
          `Slurm is too slow: after ${(PATIENCE * timeout) / 1000} s the rest was left for the next sync, because others wait for it. Raise slurm.timeout if this does not come to an end.`,
        );
      }
      const finished = await runTool(command, Math.ceil(Math.min(timeout, left))).catch((error: unknown) => {
        throw notStarted(command, error);
      });
      if (finished.code === 0 || isIdle(finished)) {
        return finished.out;
      }
      throw failureOf(command, finished, timeout);
    },
  };
}

/** sacctmgr ends with 1 when everything was so already. */
function isIdle({ code, out, err }: Finished): boolean {
  return code === 1 && /^\s*Nothing (?:new )?(?:added|deleted|modified)/m.test(`${out}\n${err}`);
}

function notStarted({ program }: Command, error: unknown): Failure {
  const isAbsent = errorCodeOf(error) === "ENOENT";
  return isAbsent
    ? new Failure(
        "slurm-missing",
        `Slurm was left as it is: there is no ${program} on this node. Install Slurm's client tools here, say in slurm.tools where they are, or set slurm.enabled on another node.`,
      )
    : new Failure(
        "slurm-missing",
        `Slurm was left as it is: ${program} cannot be started: ${messageOf(error)}.`,
      );
}

/** Sentences of Slurm's own, and not single words: what it says has names in it that anybody may choose. */
const UNANSWERED =
  /Connection refused|Connection timed out|Unable to (?:contact|connect)|persistent connection|PersistInit|Munge encode failed|Protocol authentication error|Problem talking to the database|Communication connection failure/;
const DENIED =
  /Access\/permission denied|Only admins\/operators|must be (?:a super user|an administrator|an operator)/i;
const REFUSED = /^\s*Error with request: (?:Job\(s\) active|You can not remove the default)/m;

function failureOf(command: Command, { code, out, err }: Finished, timeoutMs: number): Failure {
  const what = wordsOf(command);
  if (code === undefined) {
    return new Failure(
      "slurm-unanswered",
      `Slurm did not answer "${what}" within ${timeoutMs / 1000} s, and the call was ended. Is slurmdbd running, and munge, and its database?`,
    );
  }
  const said = `${err}\n${out}`.trim();
  const short = said.replaceAll(/\s*\n\s*/g, "; ").slice(0, SAID_CHARS);
  if (REFUSED.test(said)) {
    return new Failure("slurm-refused", `Slurm refused "${what}": ${short}.`, { cause: said });
  }
  if (DENIED.test(said)) {
    return new Failure(
      "slurm-denied",
      `Slurm does not let this user do "${what}": ${short}. Run Rollcall as root, or give its user the AdminLevel Administrator.`,
    );
  }
  return UNANSWERED.test(said)
    ? new Failure(
        "slurm-unanswered",
        `Slurm could not be reached by "${what}": ${short}. Is slurmdbd running, and munge?`,
      )
    : new Failure(
        "slurm-refused",
        `Slurm refused "${what}": ${short === "" ? `exit code ${code}` : short}.`,
        {
          cause: said,
        },
      );
}

const SAID_CHARS = 400;
const WORDS_CHARS = 160;

function wordsOf({ program, args }: Command): string {
  const words = [program, ...args].join(" ");
  return words.length <= WORDS_CHARS ? words : `${words.slice(0, WORDS_CHARS)}…`;
}
