/**
 * The SCIM messages this program reads (RFC 7644 §3.4.2, §3.12; RFC 7643 §5; RFC 9865 §2 and §4).
 *
 * Lenient where servers differ and nothing depends on it, strict where a mistake could lose people.
 */

import * as z from "zod";

const LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";

const schemas = (urn: string) =>
  z.array(z.string()).refine((urns) => urns.includes(urn), `schemas must name ${urn}`);

/** One page of a list. With cursors a server may leave totalResults out. */
export const ListResponse = z.object({
  schemas: schemas(LIST_RESPONSE),
  totalResults: z.int().min(0).optional(),
  Resources: z.array(z.unknown()).nullish(),
  nextCursor: z.string().nullish(),
});
export type ListResponse = z.infer<typeof ListResponse>;

/** Why a request was refused, in the server's words. */
export const ScimError = z.object({
  schemas: schemas(ERROR),
  detail: z.string().optional(),
  status: z.union([z.string(), z.number()]).optional(),
});

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

/** The first thing that is wrong with a message, for the middle of a sentence: `schemas must name urn:…`. */
export function faultOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim();
}
