// Builds dist/: wigeon.js (global), wigeon.mjs and wigeon.d.ts (module), wigeon-legacy.js (ES5 run time, ES3 syntax).
// TypeScript 7 and esbuild cannot emit ES5, so the legacy bundle goes esbuild (one file, es2020) → swc (ES5) → terser
// (`ie8`: reserved words as property names are quoted). The output is a function of the sources alone: run it twice, get
// the same bytes. `--check` compares with what is committed instead of writing.
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { transform } from "@swc/core";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const version = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).version;
const banner = `/* Wigeon ${version}, MIT OR Apache-2.0 */\n`;

/** Names that live inside only: no option, no wire field, no property of the engine is called so. They are shortened. */
const INSIDE = `env root base cross http site opened_at last_at live proven bearer usable auto poke fail blocked batchMax readerChanged
  holdUntil renewed accepted forget visible failures bans failed worked fresh wake suspend resume not_before replied seen pump left listen bare
  piece timeout_ms memory count heard emit refused changed waiting params now cancel chance tap family adopt best save active ended until reader answer frame rtt ask flush place tags auth current only
  online start stop reset clear cut add timer options`.split(/\s+/);

async function bundle(entry, format, minify) {
  const result = await build({
    entryPoints: [join(here, "src", entry)], absWorkingDir: here, bundle: true, format, minify, target: "es2020", write: false,
    ...(minify && { mangleProps: new RegExp(`^(${INSIDE.join("|")})$`) }), charset: "utf8", legalComments: "none",
  });
  return result.outputFiles[0].text;
}

async function modern(entry, format) {
  const { code } = await minify(await bundle(entry, format, true), {
    ecma: 2020, module: format === "esm", mangle: true, format: { comments: false, ascii_only: true },
    // Sequences and turned comparisons are shorter, but gzip makes less of them.
    compress: { passes: 3, unsafe_arrows: true, sequences: false, comparisons: false },
  });
  return banner + code + "\n";
}

async function legacy() {
  const es5 = await transform(await bundle("legacy.ts", "iife", false), {
    swcrc: false, configFile: false, isModule: false,
    // Only arrays are iterated, and only plain fields read: then loops stay loops, and no helper asks for Symbol.
    jsc: { target: "es5", assumptions: { iterableIsArray: true, noDocumentAll: true } },
  });
  const { code } = await minify(es5.code, {
    ecma: 5, ie8: true, safari10: true, compress: { passes: 3 }, mangle: true, format: { comments: false, ascii_only: true, quote_keys: false },
  });
  return banner + code + "\n";
}

/** The types file is types only, so it is its own declaration. */
function declarations() {
  const types = readFileSync(join(here, "src/types.ts"), "utf8");
  for (const name of INSIDE) if (new RegExp(`^\\s*(readonly )?${name}[?:(]`, "m").test(types)) throw new Error(`"${name}" is public, it must not be shortened`);
  return banner + types + `
export interface Wigeon extends Client {}
export declare const Wigeon: { new (options?: Options): Wigeon; readonly prototype: Wigeon };
export default Wigeon;
`;
}

export async function files() {
  return {
    "wigeon.js": await modern("global.ts", "iife"),
    "wigeon.mjs": await modern("wigeon.ts", "esm"),
    "wigeon-legacy.js": await legacy(),
    "wigeon.d.ts": declarations(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes("--check");
  mkdirSync(join(here, "dist"), { recursive: true });
  let stale = 0;
  for (const [name, text] of Object.entries(await files())) {
    const path = join(here, "dist", name);
    let old = null;
    try { old = readFileSync(path, "utf8"); } catch { /* not built yet */ }
    if (check && old !== text) { stale++; console.error(`client/dist/${name} is not what the sources build: run npm run build -w client`); }
    if (!check && old !== text) writeFileSync(path, text);
    console.log(`${name.padEnd(18)} ${String(text.length).padStart(6)} bytes, ${gzipSync(text, { level: 9 }).length} gzipped`);
  }
  process.exitCode = stale ? 1 : 0;
}
