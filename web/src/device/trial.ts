/** Whether the graphics card gives the processor's answer, and sooner: each network is tried on both. */

import { FACE_SIZE } from "./image";
import type { Network, Values } from "./network";

/** How far an output may be from the processor's, as a share of it or of 1. In a face, where outputs
 * go from -1 to 1, that is a fortieth of a level of 255: less than rounding to a level does. */
export const TOLERANCE = 2e-4;

/** What the detector is tried on. */
const PART_SIZE = 160;

export interface Outcome {
  outputs: Record<string, Float32Array>;
  milliseconds: number;
}

/** Runs a network on what is always the same. Timed is the last run: the first one compiles. */
export async function attempt(network: Network, runs: number): Promise<Outcome> {
  const inputs = probe(network.inputs);
  let begun = 0;
  let outputs: Outcome["outputs"] = {};
  for (let i = 0; i < runs; i++) {
    begun = performance.now();
    outputs = await network.run(inputs);
  }
  return { outputs, milliseconds: performance.now() - begun };
}

/** Why the second must not stand in for the first, in words; null: it may.
 *
 * `hurry`: it must also be faster, all networks together.
 */
export function objection(cpu: Outcome[], gpu: Outcome[], hurry: boolean): string | null {
  for (const [i, { outputs }] of cpu.entries()) {
    for (const [name, expected] of Object.entries(outputs)) {
      const off = difference(expected, gpu[i].outputs[name]);
      if (!(off <= TOLERANCE)) return `its answers differ by ${off.toExponential(0)}`;
    }
  }
  const [slow, fast] = [cpu, gpu].map((all) => all.reduce((sum, one) => sum + one.milliseconds, 0));
  return hurry && fast >= slow ? "it is not faster" : null;
}

/** The worst of all values; not a number, or another length, is as bad as can be. */
function difference(expected: Float32Array, given: Float32Array | undefined): number {
  if (given?.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(given[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(off <= worst)) worst = Number.isNaN(off) ? Infinity : off;
  }
  return worst;
}

/** By the names of the inputs: a face of shades and noise, a mask with a hole, a part of a photo. */
function probe(names: readonly string[]): Record<string, Values> {
  const inputs: Record<string, Values> = {};
  for (const name of names) {
    const channels = name === "mask" ? 1 : 3;
    const side = name === "input" ? PART_SIZE : FACE_SIZE;
    const data = new Float32Array(channels * side * side);
    let noise = 1;
    for (let i = 0; i < data.length; i++) {
      const [y, x] = [Math.floor(i / side) % side, i % side];
      noise = (noise * 16807) % 2147483647;
      const shade = 0.6 * Math.sin(x / 23 + (i % 3)) * Math.cos(y / 31) + 0.4 * ((2 * noise) / 2147483647 - 1);
      if (name === "mask") data[i] = y >= 140 && y < 220 && x >= 80 && x < 180 ? 1 : 0;
      else data[i] = name === "face" ? shade : 120 * shade;
    }
    inputs[name] = { data, dims: [1, channels, side, side] };
  }
  return inputs;
}
