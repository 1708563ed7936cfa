// Loads TypeScript sources for a test: bundled by esbuild in memory, imported as a module.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

export async function source(...files) {
  const here = fileURLToPath(new URL("../../src/", import.meta.url));
  const result = await build({
    stdin: { contents: files.map(file => `export * from "./${file}";`).join("\n"), resolveDir: here, loader: "ts" },
    bundle: true, format: "esm", target: "es2022", write: false, sourcemap: "inline",
  });
  return import("data:text/javascript;base64," + Buffer.from(result.outputFiles[0].contents).toString("base64"));
}
