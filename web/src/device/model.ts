/** A model over aligned faces; as the library's `runtime/model.py` and `runtime/session.py`. */

import { finish } from "./blend";
import { gainOf, lit, unlit } from "./exposure";
import { bytes, type Bytes, FACE_SIZE, type Floats, toByte } from "./image";
import type { Network, Values } from "./network";
import type { FacePrior } from "./prior";

/** How the hidden part is invented: 0 = soft to 1 = sharp; a seed: one of many plausible faces. */
export interface Manner {
  detail: number;
  seed: number | null;
}

const { fround } = Math;
const PIXELS = FACE_SIZE * FACE_SIZE;

export class FaceModel {
  constructor(
    private readonly face: Network,
    private readonly mask: Network,
    /** Null: a model that works without one. */
    private readonly prior: FacePrior | null,
  ) {
    const strange = face.inputs.filter((name) => !["face", "mask", "detail"].includes(name));
    if (strange.length) throw new Error(`this model also takes ${strange.join(", ")}: only the server has that`);
  }

  /** How surely each pixel of an aligned face is hidden, 0 to 1. */
  async find(face: Bytes): Promise<Floats> {
    const { mask } = await this.mask.run({ face: toNetwork(lit(face, gainOf(face))) });
    const data = mask.map((value) => Math.min(Math.max(fround(fround(value / 2) + 0.5), 0), 1));
    return { width: FACE_SIZE, height: FACE_SIZE, channels: 1, data };
  }

  /** The face with its hidden part invented, equal to it in every known pixel. */
  async fill(face: Bytes, hidden: Bytes, manner: Manner): Promise<Bytes> {
    const gain = gainOf(face, hidden);
    const shown = lit(face, gain);
    const before = this.prior ? this.prior.fill(shown, hidden, manner.seed) : blackened(shown, hidden);
    const inputs: Parameters<Network["run"]>[0] = { face: toNetwork(before) };
    if (this.face.inputs.includes("mask")) inputs.mask = maskInput(hidden);
    if (this.face.inputs.includes("detail")) inputs.detail = { data: Float32Array.of(manner.detail), dims: [1, 1, 1, 1] };
    const { restored } = await this.face.run(inputs);
    const made = unlit(finish(shown, fromNetwork(restored), hidden), gain);
    return { ...face, data: face.data.map((value, i) => (hidden.data[Math.floor(i / 3)] ? made.data[i] : value)) };
  }
}

function blackened(face: Bytes, hidden: Bytes): Bytes {
  return { ...face, data: face.data.map((value, i) => (hidden.data[Math.floor(i / 3)] ? 0 : value)) };
}

/** 0..255 side by side -> three planes in [-1, 1]. */
export function toNetwork(face: Bytes): Values {
  const data = new Float32Array(3 * PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    for (let c = 0; c < 3; c++) data[c * PIXELS + p] = fround(face.data[3 * p + c] / 127.5) - 1;
  }
  return { data, dims: [1, 3, FACE_SIZE, FACE_SIZE] };
}

/** 1 = hidden. */
export function maskInput(hidden: Bytes): Values {
  return { data: Float32Array.from(hidden.data), dims: [1, 1, FACE_SIZE, FACE_SIZE] };
}

function fromNetwork(output: Float32Array): Bytes {
  const face = bytes(FACE_SIZE, FACE_SIZE, 3);
  for (let p = 0; p < PIXELS; p++) {
    for (let c = 0; c < 3; c++) face.data[3 * p + c] = toByte(fround(fround(output[c * PIXELS + p] + 1) * 127.5));
  }
  return face;
}
