/**
 * Query parameters, encoded exactly once.
 *
 * In: text as an admin writes it in the configuration, with or without percent encoding. An ampersand inside
 * double quotes belongs to a filter value (RFC 7644 §3.4.2.2), not to the query.
 */

/** The parameters in the text, in order, decoded. */
export function parseQuery(text: string): [name: string, value: string][] {
  return splitOutsideQuotes(text).flatMap((part) => {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    return name === "" ? [] : [[decoded(name), equals < 0 ? "" : decoded(part.slice(equals + 1))]];
  });
}

/** The address of one page: base, path, the admin's parameters, and those of the page, which win. */
export function pageUrl(
  base: string,
  list: { readonly path: string; readonly query: string },
  page: Readonly<Record<string, string>>,
): string {
  const own = parseQuery(list.query).filter(([name]) => !Object.hasOwn(page, name));
  const query = [...own, ...Object.entries(page)]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  const address = `${base.replace(/\/+$/, "")}/${list.path.replace(/^\/+/, "")}`;
  return query === "" ? address : `${address}?${query}`;
}

function splitOutsideQuotes(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^&"]|")+/g) ?? [];
}

/** A percent sign that starts no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
