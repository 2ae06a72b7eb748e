// Calls functions of the page's own code under Node: node port.mjs BUNDLE FOLDER.
// FOLDER/calls.json: [[name, ...arguments]]; an argument {shape, dtype, file} is an array in a file.
// Writes FOLDER/results.json, whose arrays lie in files of the same form.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [bundle, folder] = process.argv.slice(2);
const port = await import(pathToFileURL(bundle));
const KINDS = { uint8: Uint8Array, float32: Float32Array, int32: Int32Array, float64: Float64Array };
let files = 0;

function read(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(read);
  if (!("dtype" in value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, read(v)]));
  const raw = readFileSync(`${folder}/${value.file}`);
  const data = new KINDS[value.dtype](raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const [height, width, channels = 1] = value.shape;
  return value.shape.length > 1 ? { width, height, channels, data } : data;
}

function write(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(write);
  const plain = ArrayBuffer.isView(value) ? { data: value, shape: [value.length] } : value;
  if (!ArrayBuffer.isView(plain.data)) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, write(v)]));
  }
  const { data, width, height, channels } = plain;
  const file = `result-${files++}`;
  writeFileSync(`${folder}/${file}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const shape = plain.shape ?? (channels === 1 ? [height, width] : [height, width, channels]);
  return { file, shape, dtype: data.constructor.name.replace("Array", "").toLowerCase() };
}

const calls = JSON.parse(readFileSync(`${folder}/calls.json`));
const results = [];
for (const [name, ...given] of calls) results.push(write(await port[name](...given.map(read))));
writeFileSync(`${folder}/results.json`, JSON.stringify(results));
