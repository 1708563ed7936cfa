// `node --test web/test/` runs the TypeScript tests: each is bundled to memory and imported as a module.
import { build } from "esbuild";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tests = readdirSync(here).filter((file) => file.endsWith(".test.ts"));

const { outputFiles } = await build({
  entryPoints: tests.map((file) => join(here, file)),
  outdir: here,
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  sourcemap: "inline",
});
for (const { contents } of outputFiles) {
  await import(`data:text/javascript;base64,${Buffer.from(contents).toString("base64")}`);
}
