/**
 * The account lines of a PAM service (pam.d(5)).
 */

/** One line: a module of the account part, or another file to read here. */
export type PamLine =
  | { readonly kind: "module"; readonly module: string }
  | { readonly kind: "include"; readonly service: string };

/** In their order; lines of other parts are left out. `@include` brings all parts of a file (Debian). */
export function parseAccountLines(text: string): PamLine[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((raw): PamLine[] => {
      const line = (raw.split("#", 1)[0] ?? "").trim();
      const included = /^@include\s+([\w.-]+)$/.exec(line)?.[1];
      if (included !== undefined) {
        return [{ kind: "include", service: included }];
      }
      const [, control = "", path = ""] = /^-?account\s+(\[[^\]]*\]|\S+)\s+(\S+)/i.exec(line) ?? [];
      if (path === "") {
        return [];
      }
      return control === "include" || control === "substack"
        ? [{ kind: "include", service: path }]
        : [{ kind: "module", module: (path.split("/").at(-1) ?? path).replace(/\.so$/, "") }];
    });
}
