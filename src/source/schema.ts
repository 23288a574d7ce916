/**
 * The SCIM messages this program reads (RFC 7644 §3.4.2, §3.12; RFC 7643 §5; RFC 9865 §2 and §4).
 *
 * Lenient where servers differ and nothing depends on it, strict where a mistake could lose people.
 */

import * as z from "zod";
import { isRecord } from "./attributes.ts";

const LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";

const schemas = (urn: string) =>
  z.array(z.string()).refine((urns) => urns.includes(urn), `schemas must name ${urn}`);

/** One page of a list. With cursors a server may leave totalResults out. */
const ListResponse = z.object({
  schemas: schemas(LIST_RESPONSE),
  totalResults: z.int().min(0).optional(),
  // Whatever is in it is looked at record by record; a list of "unknown" would be copied.
  Resources: z.custom<readonly unknown[]>(Array.isArray).nullish(),
  nextCursor: z.string().nullish(),
});
export type ListResponse = z.infer<typeof ListResponse>;

/** A page; or why it is none, for the middle of a sentence. */
export function readListResponse(json: unknown): ListResponse | { readonly fault: string } {
  const parsed = ListResponse.safeParse(json);
  return parsed.success ? parsed.data : { fault: faultOf(parsed.error) };
}

/** Why a request was refused, in the server's words. */
const ScimError = z.object({
  schemas: schemas(ERROR),
  detail: z.string().optional(),
  status: z.union([z.string(), z.number()]).optional(),
});

type ScimError = z.infer<typeof ScimError>;

/** An Error; undefined for anything else. */
export function readScimError(json: unknown): ScimError | undefined {
  // Most of what is asked about is a page of a list, and a refusal by zod costs more than a look.
  return mayBeError(json) ? ScimError.safeParse(json).data : undefined;
}

function mayBeError(json: unknown): boolean {
  if (!isRecord(json)) {
    return false;
  }
  const urns = json["schemas"];
  return Array.isArray(urns) && urns.includes(ERROR);
}

/** What the server can do; everything in it is optional here. */
export const ServiceProviderConfig = z.object({
  pagination: z
    .object({
      cursor: z.boolean().optional(),
      index: z.boolean().optional(),
      defaultPaginationMethod: z.string().optional(),
    })
    .optional(),
});
export type ServiceProviderConfig = z.infer<typeof ServiceProviderConfig>;

/** The first thing that is wrong with a message: `schemas must name urn:…`. */
function faultOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim();
}
