/**
 * Which attribute paths resources have, for somebody who named one that they do not.
 *
 * In: resources as they came. Out: paths, as the configuration writes them. Values are never shown.
 */

import { isRecord } from "./attributes.ts";

const MAX_RESOURCES = 50;
const MAX_PATHS = 500;
const MAX_DEPTH = 6;

/** The paths to values that are no objects, sorted; of the first few resources, and not more than a few hundred. */
export function pathsIn(resources: readonly unknown[]): string[] {
  const found = new Set<string>();
  for (const resource of resources.slice(0, MAX_RESOURCES)) {
    addPaths(found, resource, []);
  }
  return [...found].sort();
}

function addPaths(found: Set<string>, value: unknown, above: readonly string[]): void {
  if (Array.isArray(value)) {
    // Paths read every entry of a list; those of the first few are like the others.
    value.slice(0, MAX_RESOURCES).forEach((entry) => addPaths(found, entry, above));
    return;
  }
  if (!isRecord(value)) {
    if (value !== null && above.length > 0 && found.size < MAX_PATHS) {
      found.add(above.join("/"));
    }
    return;
  }
  for (const name of Object.keys(value)) {
    // A slash in a name cannot be written in a path.
    if (above.length < MAX_DEPTH && found.size < MAX_PATHS && !name.includes("/") && !isAside(name, above)) {
      addPaths(found, value[name], [...above, name]);
    }
  }
}

/** What every resource has, and says nothing of the person (RFC 7643 §3). */
function isAside(name: string, above: readonly string[]): boolean {
  return above.length === 0 && (name === "schemas" || name === "meta");
}
