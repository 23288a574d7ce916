/**
 * Reads a resource through a configured path.
 *
 * A path is made of attribute names with slashes between them; an extension is named by its URN. Attribute
 * names are case insensitive (RFC 7643 §2.1). Where a list stands on the way, the rest of the path is read
 * from each of its entries.
 */

/** The value in a resource, of any shape; undefined when there is none. */
export type ReadAttribute = (resource: unknown) => unknown;

/** Takes a path apart once, for all resources. */
export function attributeReader(path: string): ReadAttribute {
  const steps = path.split("/").map((name) => ({ name, lowerCase: name.toLowerCase() }));
  return (resource) => {
    let value = resource;
    for (const step of steps) {
      value = stepInto(value, step);
    }
    return value;
  };
}

/** One name of a path. */
interface Step {
  readonly name: string;
  readonly lowerCase: string;
}

function stepInto(value: unknown, step: Step): unknown {
  if (Array.isArray(value)) {
    return value.map((entry) => stepInto(entry, step)).filter((entry) => entry !== undefined);
  }
  if (!isRecord(value)) {
    return undefined;
  }
  return Object.hasOwn(value, step.name) ? value[step.name] : memberInAnyCase(value, step.lowerCase);
}

function memberInAnyCase(record: Readonly<Record<string, unknown>>, lowerCase: string): unknown {
  for (const key of Object.keys(record)) {
    // Names are ASCII, so one of another length is another name.
    if (key.length === lowerCase.length && key.toLowerCase() === lowerCase) {
      return record[key];
    }
  }
  return undefined;
}

/** Whether a value from outside is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
