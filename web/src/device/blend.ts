/** Makes an invented part meet its surroundings; as the library's `faces/blend.py`. */

import { sharpenContour } from "./contour";
import { grow, shrunk } from "./filter";
import { type Bytes, copy, type Floats, floats, toByte } from "./image";
import { resize, resizeLinear } from "./resize";

const JACOBI_STEPS = 10;
const COARSEST = 8;
const NARROW = 8;
const SHADOW = 4;
const EDGE = 12;

/** A network's output as people see it: joined to the known pixels, with a clear contour. */
export function finish(face: Bytes, output: Bytes, hidden: Bytes): Bytes {
  return sharpenContour(seamless(face, output, hidden), hidden);
}

/** A network's output, shifted in the hidden part so that it joins the known pixels of the face. */
export function seamless(face: Bytes, output: Bytes, hidden: Bytes): Bytes {
  const { width, height, channels } = face;
  const residual = floats(width, height, channels);
  const ring = floats(width, height);
  const wide = grow(shrunk(hidden, NARROW), NARROW + 1);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const places = hidden.data[p] ? [] : neighbours(hidden, x, y);
      if (!places.length) continue;
      ring.data[p] = 1;
      const at = p * channels;
      const [own, beside] = [new Float32Array(channels), new Float32Array(channels)];
      for (let c = 0; c < channels; c++) {
        own[c] = output.data[at + c];
        beside[c] = places.reduce((sum, q) => sum + output.data[q * channels + c], 0) / places.length;
      }
      const much = (Math.max(...own.map((value, c) => Math.abs(value - beside[c]))) / EDGE) ** 2;
      for (let c = 0; c < channels; c++) {
        // Beside wide parts there are an occluder's shadow, the rest of one, and the face's edge.
        const counts = Math.max(own[c] - beside[c], -SHADOW) / (1 + much * much);
        residual.data[at + c] = face.data[at + c] - (wide.data[p] ? own[c] - counts : beside[c]);
      }
    }
  }
  const carried = extrapolate(residual, ring);
  const made = copy(face);
  for (let i = 0; i < made.data.length; i++) {
    if (hidden.data[Math.floor(i / channels)]) made.data[i] = toByte(Math.fround(output.data[i] + carried.data[i]));
  }
  return made;
}

/** The places of the hidden pixels among the eight around one. */
function neighbours(hidden: Bytes, x: number, y: number): number[] {
  const { width, height, data } = hidden;
  const places: number[] = [];
  for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
    for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
      if (data[ny * width + nx]) places.push(ny * width + nx);
    }
  }
  return places;
}

/** Carries a residual (0 where hidden) from the known pixels (1) into the hidden ones (0). */
export function extrapolate(residual: Floats, known: Floats): Floats {
  const side = residual.width;
  const { channels } = residual;
  let solution = residual;
  if (side <= COARSEST || known.data.every(Boolean)) {
    solution = copy(residual);
  } else {
    const half = side >> 1;
    const weight = resize(known, half);
    const coarse = copy(resize(residual, half));
    for (let i = 0; i < coarse.data.length; i++) {
      coarse.data[i] /= Math.max(weight.data[Math.floor(i / channels)], 1e-6);
    }
    const above = extrapolate(coarse, { ...weight, data: weight.data.map((value) => (value > 0 ? 1 : 0)) });
    solution = resizeLinear(above, side, side);
    for (let i = 0; i < solution.data.length; i++) {
      if (known.data[Math.floor(i / channels)]) solution.data[i] = residual.data[i];
    }
  }
  relax(solution, known);
  return solution;
}

/** Jacobi steps of Laplace's equation in the hidden pixels, in place; edges are continued. */
function relax(solution: Floats, known: Floats): void {
  const { width, height, channels, data } = solution;
  const hidden: number[] = [];
  known.data.forEach((value, p) => !value && hidden.push(p));
  const steps = new Float32Array(hidden.length * channels);
  for (let step = 0; step < JACOBI_STEPS; step++) {
    hidden.forEach((p, k) => {
      const x = p % width;
      const y = (p - x) / width;
      const left = (p - (x > 0 ? 1 : 0)) * channels;
      const right = (p + (x < width - 1 ? 1 : 0)) * channels;
      const above = (p - (y > 0 ? width : 0)) * channels;
      const below = (p + (y < height - 1 ? width : 0)) * channels;
      for (let c = 0; c < channels; c++) {
        steps[k * channels + c] = (data[above + c] + data[left + c] + data[right + c] + data[below + c]) / 4;
      }
    });
    hidden.forEach((p, k) => {
      for (let c = 0; c < channels; c++) data[p * channels + c] = steps[k * channels + c];
    });
  }
}
