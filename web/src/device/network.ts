/** onnxruntime-web, whose files this server has beside the page; never from anywhere else. */

import type * as Ort from "onnxruntime-web";

export interface Values {
  data: Float32Array;
  dims: number[];
}

/** A network that is ready to run. */
export interface Network {
  run(inputs: Record<string, Values>): Promise<Record<string, Float32Array>>;
  /** The names of what it takes. */
  readonly inputs: readonly string[];
}

let runtime: Promise<typeof Ort> | null = null;

/** Loads the runtime, once. `base`: the address of the page. */
function load(base: string): Promise<typeof Ort> {
  runtime ??= (async () => {
    const folder = new URL("ort/", base).href;
    const ort: typeof Ort = await import(`${folder}ort.wasm.min.mjs`);
    ort.env.wasm.wasmPaths = folder;
    // One thread: the answer is the same on every machine, and the page stays alive beside it.
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    return ort;
  })();
  return runtime;
}

export async function openNetwork(base: string, file: ArrayBuffer): Promise<Network> {
  const ort = await load(base);
  const session = await ort.InferenceSession.create(new Uint8Array(file), { executionProviders: ["wasm"] });
  return {
    inputs: session.inputNames,
    async run(inputs) {
      const feeds: Record<string, Ort.Tensor> = {};
      for (const [name, { data, dims }] of Object.entries(inputs)) feeds[name] = new ort.Tensor("float32", data, dims);
      const outputs = await session.run(feeds);
      const found: Record<string, Float32Array> = {};
      for (const name of session.outputNames) found[name] = outputs[name].data as Float32Array;
      return found;
    },
  };
}
