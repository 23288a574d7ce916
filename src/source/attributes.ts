/**
 * Reads a resource through a configured path.
 *
 * A path is made of attribute names with slashes between them; an extension is named by its URN. Attribute
 * names are case insensitive (RFC 7643 §2.1). Where a list stands on the way, the rest of the path is read
 * from each of its entries.
 */

/** The value at a path, of any shape; undefined when there is none. */
export function valueAt(resource: unknown, path: string): unknown {
  return path.split("/").reduce(step, resource);
}

function step(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    return value.map((entry) => step(entry, name)).filter((entry) => entry !== undefined);
  }
  return isRecord(value) ? memberOf(value, name) : undefined;
}

function memberOf(record: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(record, name)) {
    return record[name];
  }
  const wanted = name.toLowerCase();
  const found = Object.keys(record).find((key) => key.toLowerCase() === wanted);
  return found === undefined ? undefined : record[found];
}

/** Whether a value from outside is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
