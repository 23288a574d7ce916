/**
 * `npm run build`: makes the program that is installed, one file and what each command loads on top of it.
 *
 * In: `src/main.ts`; in the arguments a directory other than `packaging/dist`, and a version other than that of package.json.
 * Out: files in that directory; the same sources give the same bytes.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Plugin, transform } from "esbuild";
import metadata from "../package.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url).pathname;
const [out = join(ROOT, "packaging/dist"), version = metadata.version] = process.argv.slice(2);

/** Of package.json the program knows the version alone. */
const onlyVersion: Plugin = {
  name: "only-version",
  setup(building) {
    building.onLoad({ filter: /^\/.*\/package\.json$/ }, ({ path }) =>
      path === join(ROOT, "package.json")
        ? { contents: JSON.stringify({ version }), loader: "json" }
        : undefined,
    );
  },
};

/** What is used of packages that come as one piece. A name that is not here fails the build. */
const PARTS: Readonly<Record<string, string>> = {
  yaml: 'export * from "./node_modules/yaml/browser/dist/index.js";',
  undici: 'export { default as Agent } from "./node_modules/undici/lib/dispatcher/agent.js";',
  "prom-client": `
    export { default as Counter } from "./node_modules/prom-client/lib/counter.js";
    export { default as Gauge } from "./node_modules/prom-client/lib/gauge.js";
    export { default as Histogram } from "./node_modules/prom-client/lib/histogram.js";
    export { default as Registry } from "./node_modules/prom-client/lib/registry.js";`,
  systeminformation: `
    import lib from "./node_modules/systeminformation/lib/osinfo.js";
    export const { osInfo } = lib;`,
};

/** Of undici, what only HTTP/2 or a request with a body needs: `platform/http.ts` asks for neither. */
const UNUSED = /\/(?:client-h2|web\/fetch\/body|web\/fetch\/formdata|web\/webidl)(?:\.js)?$/;

const onlyParts: Plugin = {
  name: "only-parts",
  setup(building) {
    building.onResolve({ filter: UNUSED }, ({ path, importer }) =>
      importer.includes("/node_modules/undici/") ? { path, namespace: "unused" } : undefined,
    );
    building.onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
    building.onResolve({ filter: new RegExp(`^(?:${Object.keys(PARTS).join("|")})$`) }, ({ path }) => ({
      path,
      namespace: "part",
    }));
    building.onLoad({ filter: /.*/, namespace: "part" }, ({ path }) => ({
      contents: PARTS[path] ?? "",
      resolveDir: ROOT,
    }));
  },
};

// Names stay, so that the trace in a report of a defect can be read.
const SMALL = { minifyWhitespace: true, minifySyntax: true } as const;

const { outputFiles } = await build({
  entryPoints: ["src/main.ts"],
  absWorkingDir: ROOT,
  outdir: out,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  write: false,
  logLevel: "warning",
  plugins: [onlyVersion, onlyParts],
  // By this undici leaves out Milo, a second parser that it tries out.
  define: { esbuildDetection: "true" },
  ...SMALL,
});

mkdirSync(out, { recursive: true });
// It is started by its Node, never by itself, and is CommonJS. Only ES modules can be split, so the parts are turned one
// by one: an import of a built-in module reads each of its exports, and some of those load a lot (all of undici for
// node:http), where require loads what is used.
writeFileSync(join(out, "package.json"), '{ "type": "commonjs" }\n');
for (const { path, text } of outputFiles) {
  const usesUrl = text.includes("import.meta.url");
  const { code } = await transform(text.replace(/^#!.*\n/, ""), {
    format: "cjs",
    platform: "node",
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "moduleUrl" },
    banner: usesUrl ? 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;' : "",
    ...SMALL,
  });
  writeFileSync(join(out, basename(path)), code);
}
// Parts of an earlier build have other names.
const names = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of readdirSync(out)) {
  if (/-[A-Z0-9]{8}\.js$/.test(name) && !names.has(name)) {
    rmSync(join(out, name));
  }
}
