// Puts onnxruntime's own files where `unveil serve` finds them: npm run runtime [-- FOLDER].
// They are 31 MB, so they are neither in the repository nor in the wheel.
import { copyFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FILES = [
  "ort.wasm.min.mjs",
  "ort-wasm-simd-threaded.mjs",
  "ort-wasm-simd-threaded.wasm",
  // With WebGPU, for browsers that can wait in WebAssembly (JSPI): a third smaller than the one for all.
  "ort.jspi.min.mjs",
  "ort-wasm-simd-threaded.jspi.mjs",
  "ort-wasm-simd-threaded.jspi.wasm",
];
const from = fileURLToPath(new URL("node_modules/onnxruntime-web/dist/", import.meta.url));
const target = process.argv[2] ?? fileURLToPath(new URL("../src/unveil/server/ort/", import.meta.url));

mkdirSync(target, { recursive: true });
for (const name of FILES) copyFileSync(`${from}${name}`, `${target}/${name}`);
