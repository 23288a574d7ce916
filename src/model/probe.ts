/**
 * What one step of the way to the IAM came to, as it was looked at and not yet judged.
 */

/** Why a step of the way failed. */
export interface Trouble {
  /** An errno(3) name, or one of OpenSSL's or Node's. */
  readonly code: string;
  readonly message: string;
}

/** What a server shows of itself. */
export interface TlsLook {
  /** Why it is not to be trusted; undefined when it is. */
  readonly trouble: Trouble | undefined;
  /** The names the certificate is for, as OpenSSL writes them. */
  readonly names: string;
  readonly issuer: string;
  /** Milliseconds since 1970; undefined without a certificate. */
  readonly validTo: number | undefined;
}

/** What is wrong with an answer: closed, so that each has its remedy. */
export type PageFault =
  | "unauthorised"
  | "forbidden"
  | "absent"
  | "redirect"
  | "refused"
  | "html"
  | "not-json"
  | "scim-error"
  | "not-list"
  | "too-large"
  | "no-answer";

/** What one request for a first page came to. */
export interface FirstPage {
  readonly url: string;
  /** Undefined without an answer. */
  readonly status: number | undefined;
  /** The server's clock, in milliseconds since 1970; undefined where it does not say. */
  readonly serverMs: number | undefined;
  /** Undefined for a page of a list. */
  readonly fault: PageFault | undefined;
  /** About the fault, in words; quotes the server. */
  readonly detail: string;
  readonly total: number | undefined;
  readonly resources: readonly unknown[];
}
