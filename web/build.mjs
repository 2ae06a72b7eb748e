// Writes the page that the wheel ships: the script, the worker that runs the networks, one style sheet, the HTML and its icon.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = fileURLToPath(new URL("../src/unveil/server/page/", import.meta.url));

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts", device: "src/device/worker.ts", style: "style/main.css" },
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) copyFileSync(`${here}${name}`, `${target}${name}`);
