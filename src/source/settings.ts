/**
 * What pulling takes from the configuration.
 */

/** One list of the SCIM service. */
export interface ListSettings {
  /** Below the base URL: `Users`. */
  readonly path: string;
  /** Query parameters as an admin writes them: `filter=active eq true&groups=slurm-users`. */
  readonly query: string;
}

/** A SCIM 2.0 service over HTTP. */
export interface ScimSettings {
  readonly source: "scim";
  readonly url: string;
  readonly tokenFile: string | undefined;
  readonly users: ListSettings;
  readonly groups: ListSettings;
  /** How it is found out that nothing is new. */
  readonly probe: "auto" | "etag" | "off";
  readonly paging: "auto" | "index" | "cursor";
  readonly pageSize: number;
  /** Requests in flight, over both lists. */
  readonly parallel: number;
  readonly timeoutMs: number;
  /** Tries of one request after the first, and the first pause between them. */
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly maxPageBytes: number;
  readonly caFile: string | undefined;
  readonly clientCertFile: string | undefined;
  readonly clientKeyFile: string | undefined;
}

/** The same ListResponses from disk, for nodes without a network. */
export interface FileSettings {
  readonly source: "file";
  readonly usersFile: string;
  readonly groupsFile: string;
}

/** Where each field of a record stands: a slash path such as `name/formatted`; undefined for "nowhere". */
export interface AttributePaths {
  readonly user: Readonly<Record<"name" | "uid" | "gid", string>> &
    Readonly<Record<"gecos" | "home" | "shell" | "keys", string | undefined>>;
  readonly group: Readonly<Record<"name" | "gid", string>>;
}

/** The whole slice. */
export interface SourceSettings {
  readonly iam: ScimSettings | FileSettings;
  readonly attributes: AttributePaths;
  /** Where what the IAM said is remembered between runs. */
  readonly stateDirectory: string;
}
