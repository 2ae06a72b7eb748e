/** A Gaussian of aligned faces; as the library's `models/eigenface.py`.
 *
 * A face is D = r r + 2 c c entries: luma at r x r, two chroma channels at c x c, side by side.
 */

import { type Bytes, type Floats, floats } from "./image";
import { normal } from "./noise";
import type { NumpyArray } from "./npz";
import { resize, resizeCubic } from "./resize";

const RESIDUAL_CORRELATION = 12;
const { fround } = Math;

/** RGB to luma and two chroma channels, lengths kept; its inverse is its transpose. */
const LUMA_CHROMA = [
  [1, 1, 1],
  [1.5 ** 0.5, 0, -(1.5 ** 0.5)],
  [0.5 ** 0.5, -(2 ** 0.5), 0.5 ** 0.5],
].map((row) => row.map((value) => fround(fround(value) / fround(3 ** 0.5))));

/** A face at the prior's size, averaged over its known pixels alone. */
export interface Known {
  colour: Floats;
  weight: Floats;
}

/** What is known of a face, of which a part is hidden, at size x size. */
export function averageKnown(face: Bytes, hidden: Bytes, size: number): Known {
  const known = floats(face.width, face.height);
  const total = floats(face.width, face.height, 3);
  for (let p = 0; p < known.data.length; p++) {
    if (hidden.data[p]) continue;
    known.data[p] = 1;
    for (let i = 3 * p; i < 3 * p + 3; i++) total.data[i] = face.data[i];
  }
  const weight = resize(known, size);
  return { colour: divided(resize(total, size), weight), weight };
}

/** What the known pixels say of the amounts of the eigenfaces. */
export interface Posterior {
  mean: Float64Array;
  /** Amounts for a seed, with `spread` times the variance. */
  draw(seed: number, spread: number): Float64Array;
}

export class Eigenface {
  readonly size: number;
  private readonly mean: Float32Array;
  /** (D, k), row after row. */
  private readonly components: Float32Array;
  private readonly variances: Float32Array;
  private readonly residual: number;
  private readonly chroma: number;
  private readonly k: number;

  /** Of the arrays of a prior's file; those whose names begin with the prefix. */
  constructor(arrays: Map<string, NumpyArray>, prefix = "") {
    [this.size, this.chroma] = [numbers(arrays, "size")[0], numbers(arrays, "chroma")[0]];
    this.residual = numbers(arrays, `${prefix}residual`)[0];
    this.mean = numbers(arrays, `${prefix}mean`);
    this.variances = numbers(arrays, `${prefix}variances`);
    this.k = this.variances.length;
    this.components = prefix
      ? numbers(arrays, `${prefix}components`)
      : this.whole(numbers(arrays, "left"), numbers(arrays, "odd"));
  }

  /** What is known as entries, and the known fraction of each. */
  private entries(known: Known): [Float32Array, Float32Array] {
    const { size, chroma } = this;
    const cut = size * size;
    const planes = transformed(known.colour, LUMA_CHROMA);
    const colour = floats(size, size, 2);
    const values = new Float32Array(cut + 2 * chroma * chroma);
    const weights = new Float32Array(values.length);
    for (let p = 0; p < cut; p++) {
      values[p] = planes.data[3 * p];
      weights[p] = known.weight.data[p];
      for (const c of [0, 1]) colour.data[2 * p + c] = planes.data[3 * p + 1 + c] * weights[p];
    }
    const weight = resize(known.weight, chroma);
    const small = divided(resize(colour, chroma), weight);
    for (let i = 0; i < small.data.length; i++) {
      values[cut + i] = small.data[i] * (size / chroma);
      weights[cut + i] = weight.data[i >> 1];
    }
    return [values, weights];
  }

  /** The amounts of the eigenfaces, given the known pixels. */
  posterior(known: Known): Posterior {
    const { k, components } = this;
    const [values, weights] = this.entries(known);
    const noise = RESIDUAL_CORRELATION * this.residual;
    const lost: number[] = [];
    const kept: number[] = [];
    const right = new Float64Array(k);
    weights.forEach((weight, row) => {
      if (weight < 1) lost.push(row);
      if (weight > 0) kept.push(row);
      const amount = weight * (values[row] - this.mean[row]);
      if (amount) for (let j = 0, at = row * k; j < k; j++, at++) right[j] += amount * components[at];
    });
    // W' diag(w) W = I - W' diag(1 - w) W: the side with fewer rows is the cheaper one.
    const few = 2 * lost.length <= weights.length;
    const gram = this.gram(few ? lost : kept, (row) => (few ? 1 - weights[row] : weights[row]));
    for (let i = 0; i < gram.length; i++) if (few) gram[i] = -gram[i];
    for (let j = 0; j < k; j++) gram[j * k + j] += noise / Math.max(this.variances[j], 1e-6) + (few ? 1 : 0);
    factorise(gram, k);
    const mean = backward(gram, forward(gram, right, k), k);
    const draw = (seed: number, spread: number): Float64Array => {
      const drawn = backward(gram, Float64Array.from(normal(seed, k)), k);
      const scale = Math.sqrt(noise) * fround(Math.sqrt(spread));
      return mean.map((amount, j) => amount + drawn[j] * scale);
    };
    return { mean, draw };
  }

  /** rows' diag(weight) rows: the lower half of (k, k). */
  private gram(rows: number[], weigh: (row: number) => number): Float64Array {
    const { k, components } = this;
    const gram = new Float64Array(k * k);
    for (const row of rows) {
      const weight = weigh(row);
      const line = components.subarray(row * k, (row + 1) * k);
      for (let i = 0; i < k; i++) {
        const factor = weight * line[i];
        for (let j = 0, at = i * k; j <= i; j++, at++) gram[at] += factor * line[j];
      }
    }
    return gram;
  }

  /** The face of some amounts, (r, r, 3). */
  face(amounts: Float64Array): Floats {
    const { size, chroma, k, components } = this;
    const cut = size * size;
    const planes = floats(size, size, 3);
    const colour = floats(chroma, chroma, 2);
    for (let row = 0; row < this.mean.length; row++) {
      let value = this.mean[row];
      for (let j = 0, at = row * k; j < k; j++, at++) value += components[at] * amounts[j];
      if (row < cut) planes.data[3 * row] = value;
      else colour.data[row - cut] = fround(value) * (chroma / size);
    }
    const wide = resizeCubic(colour, size, size);
    for (let p = 0; p < cut; p++) {
      planes.data[3 * p + 1] = wide.data[2 * p];
      planes.data[3 * p + 2] = wide.data[2 * p + 1];
    }
    const turned = LUMA_CHROMA[0].map((_, i) => LUMA_CHROMA.map((row) => row[i]));
    return transformed(planes, turned);
  }

  /** Both halves of each component, which is its own mirror image up to the sign. */
  private whole(left: Float32Array, odd: ArrayLike<number>): Float32Array {
    const { size, chroma, k } = this;
    const all = new Float32Array(this.mean.length * k);
    const unfold = (side: number, planes: number, from: number, to: number): void => {
      const half = side / 2;
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < half; x++) {
          for (let p = 0; p < planes; p++) {
            const source = (from + (y * half + x) * planes + p) * k;
            const near = (to + (y * side + x) * planes + p) * k;
            const far = (to + (y * side + side - 1 - x) * planes + p) * k;
            for (let j = 0; j < k; j++) {
              all[near + j] = left[source + j];
              all[far + j] = odd[j] ? -left[source + j] : left[source + j];
            }
          }
        }
      }
    };
    unfold(size, 1, 0, 0);
    unfold(chroma, 2, (size * size) / 2, size * size);
    return all;
  }
}

/** The numbers of an array of a prior's file. */
export function numbers(arrays: Map<string, NumpyArray>, name: string): Float32Array {
  const found = arrays.get(name);
  if (!found) throw new Error("the prior is damaged: reload the page");
  return found.data as Float32Array;
}

function divided(planes: Floats, weight: Floats): Floats {
  const made = floats(planes.width, planes.height, planes.channels);
  for (let i = 0; i < made.data.length; i++) {
    made.data[i] = planes.data[i] / Math.max(weight.data[Math.floor(i / planes.channels)], 1e-6);
  }
  return made;
}

function transformed(planes: Floats, matrix: number[][]): Floats {
  const made = floats(planes.width, planes.height, 3);
  for (let i = 0; i < made.data.length; i += 3) {
    const [a, b, c] = [planes.data[i], planes.data[i + 1], planes.data[i + 2]];
    for (let j = 0; j < 3; j++) made.data[i + j] = matrix[j][0] * a + matrix[j][1] * b + matrix[j][2] * c;
  }
  return made;
}

/** Cholesky: the lower half of a positive matrix becomes L with L L' = it, in place. */
function factorise(matrix: Float64Array, k: number): void {
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * k + j];
      for (let m = 0; m < j; m++) sum -= matrix[i * k + m] * matrix[j * k + m];
      matrix[i * k + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[j * k + j];
    }
  }
}

/** L x = right. */
function forward(lower: Float64Array, right: Float64Array, k: number): Float64Array {
  const x = right.slice();
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) x[i] -= lower[i * k + j] * x[j];
    x[i] /= lower[i * k + i];
  }
  return x;
}

/** L' x = right. */
function backward(lower: Float64Array, right: Float64Array, k: number): Float64Array {
  const x = right.slice();
  for (let i = k - 1; i >= 0; i--) {
    x[i] /= lower[i * k + i];
    for (let j = 0; j < i; j++) x[j] -= lower[i * k + j] * x[i];
  }
  return x;
}
