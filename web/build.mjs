// Builds the pages into `dist/`, which is committed and embedded in the server, so that running Wigeon
// needs no Node. The output is a pure function of the sources: stable names, no hashes, no source maps,
// no dates; CI builds again and compares bytes.
//
// A page is a row in PAGES. A row whose entry does not exist yet is left out.
//   node web/build.mjs            build
//   node web/build.mjs --watch    build again on every change
import { build, context } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "dist");

const PAGES = [
  { name: "chat", entry: "src/main.tsx", html: "index.html" },
  { name: "lab", entry: "src/lab/main.tsx", html: "lab.html" },
].filter((page) => existsSync(join(web, page.entry)));

const ICONS = ["src/logo.svg", "src/icon-180.png"];

/** What a first visit may cost, gzipped: page, script, style and logo together. */
const FIRST_LOAD_BYTES_MAX = 100 * 1024;

const options = {
  absWorkingDir: web,
  entryPoints: PAGES.map((page) => ({ in: page.entry, out: page.name })),
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  // Safari 15.4 is the oldest with dialogs, `at` and `findLast`.
  target: ["es2021", "safari15.4"],
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "text" },
  logLevel: "warning",
};

await mkdir(dist, { recursive: true });
for (const file of await readdir(dist)) await rm(join(dist, file), { recursive: true });
for (const page of PAGES) await copyFile(join(web, page.html), join(dist, page.html));
for (const icon of ICONS) await copyFile(join(web, icon), join(dist, icon.split("/").pop()));

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
  for (const page of PAGES) await weigh(page);
}

async function weigh(page) {
  const files = [page.html, `${page.name}.js`, `${page.name}.css`, "logo.svg"];
  let total = 0;
  for (const file of files) total += gzipSync(await readFile(join(dist, file))).length;
  console.log(`${page.name}: first load ${(total / 1024).toFixed(1)} KiB gzipped`);
  if (total > FIRST_LOAD_BYTES_MAX) {
    console.error(`${page.name}: more than ${FIRST_LOAD_BYTES_MAX / 1024} KiB`);
    process.exitCode = 1;
  }
}
