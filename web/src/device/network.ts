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
  /** Frees its memory. */
  close(): Promise<void>;
}

/** What the networks run on. */
export type Processor = "cpu" | "webgpu";

/** The build with WebGPU has the processor too, but is larger and not for every browser. */
const BUILDS = { cpu: "ort.wasm.min.mjs", webgpu: "ort.jspi.min.mjs" };

export class Runtime {
  private constructor(private readonly ort: typeof Ort) {}

  /** `base`: the address of the page; `best`: the best that is to run on it. */
  static async load(base: string, best: Processor): Promise<Runtime> {
    const folder = new URL("ort/", base).href;
    const ort: typeof Ort = await import(`${folder}${BUILDS[best]}`);
    ort.env.wasm.wasmPaths = folder;
    // One thread: the answer is the same on every machine, and the page stays alive beside it.
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    return new Runtime(ort);
  }

  async open(file: ArrayBuffer, on: Processor): Promise<Network> {
    const { ort } = this;
    const executionProviders = [on === "cpu" ? "wasm" : "webgpu"];
    const session = await ort.InferenceSession.create(new Uint8Array(file), { executionProviders });
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
      close: () => session.release(),
    };
  }
}
