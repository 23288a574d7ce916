/**
 * What a run goes by beside the configuration, and where both meet: paths below the root.
 */

import type { Settings } from "../config/settings.ts";
import type { Clock } from "../platform/clock.ts";
import { underRoot } from "../platform/files.ts";
import type { OnProgress } from "../source/pull.ts";
import type { SourceSettings } from "../source/settings.ts";
import type { TokenEnvironment } from "../source/token.ts";

/** Lists that a node is known to be in step with. */
export interface InStepWith {
  readonly digest: string;
  /** Whether the IAM has proven that its totals and times show what is new. */
  readonly isAskedByTimes: boolean;
  /** The names of the pages that changed since; undefined where that is not known. */
  readonly changedPages: readonly string[] | undefined;
}

/** What comes from outside the configuration. */
export interface Surroundings {
  /** Every path of the node is below it. */
  readonly root: string;
  readonly tokens: TokenEnvironment;
  readonly clock: Clock;
  /** Users who may log in beside those of `access.login`; undefined when nobody was named. */
  readonly loginUsers: readonly string[] | undefined;
  /** What this node is in step with, as the daemon knows; undefined to look at everything. */
  readonly inStepWith: InStepWith | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onProgress: OnProgress;
}

/** The source's slice, with the paths of the node below the root. */
export function sourceSettings({ iam, attributes, state }: Settings, root: string): SourceSettings {
  const at = <Path extends string | undefined>(path: Path) =>
    path === undefined ? path : underRoot(root, path);
  return {
    iam:
      iam.source === "file"
        ? { ...iam, usersFile: underRoot(root, iam.usersFile), groupsFile: underRoot(root, iam.groupsFile) }
        : {
            ...iam,
            tokenFile: at(iam.tokenFile),
            caFile: at(iam.caFile),
            clientCertFile: at(iam.clientCertFile),
            clientKeyFile: at(iam.clientKeyFile),
          },
    attributes,
    stateDirectory: underRoot(root, state.directory),
  };
}
