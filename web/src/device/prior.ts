/** The closed-form prior: the most likely hidden part of a face; as the library's `models/prior.py`. */

import { extrapolate } from "./blend";
import { averageKnown, Eigenface, type Known, numbers, type Posterior } from "./eigenface";
import { any, type Bytes, type Floats, floats, toByte } from "./image";
import { readNpz } from "./npz";
import { resizeCubic } from "./resize";

const FORMAT = 4;
/** As `FORMAT`, of a prior that has no Gaussian of turned heads. */
const ONE_GAUSSIAN = 3;
const CARRIED = 32;
const SAMPLE_SPREAD = 0.4;
/** The turns, in radians, between which one Gaussian goes over to the other. */
const TURNS = [0.1, 0.4];
const { fround } = Math;

/** What one Gaussian says of a face, which it may have been shown as a mirror shows it. */
interface Opinion {
  share: number;
  gaussian: Eigenface;
  mirrored: boolean;
  posterior: Posterior;
}

export class FacePrior {
  private readonly front: Eigenface;
  private readonly turned: Eigenface | null;
  /** Its product with the amounts of `front` is how far the head is turned to the picture's right. */
  private readonly direction: Float32Array;
  private readonly spread: number;

  /** Of the file that `unveil fit-prior` or `unveil export` wrote. */
  constructor(file: ArrayBuffer) {
    const arrays = readNpz(file);
    const format = numbers(arrays, "format")[0];
    if (format !== FORMAT && format !== ONE_GAUSSIAN) throw new Error("the prior is of another version: reload the page");
    this.front = new Eigenface(arrays);
    this.turned = format === FORMAT ? new Eigenface(arrays, "turned_") : null;
    this.direction = this.turned ? numbers(arrays, "direction") : new Float32Array();
    this.spread = SAMPLE_SPREAD * numbers(arrays, "calibration")[0];
  }

  /** The face with its hidden part replaced by the most likely one, or by one drawn for a seed. */
  fill(face: Bytes, hidden: Bytes, seed: number | null): Bytes {
    const filled = { ...face, data: face.data.slice() };
    if (!any(hidden)) return filled;
    const known = averageKnown(face, hidden, this.front.size);
    const opinions = this.ask(known);
    const guess = seed === null ? likeliest(opinions) : this.draw(opinions, seed);
    join(known, guess);
    const large = resizeCubic(guess, face.width, face.height);
    for (let i = 0; i < filled.data.length; i++) {
      if (hidden.data[Math.floor(i / 3)]) filled.data[i] = toByte(large.data[i]);
    }
    return filled;
  }

  /** What the Gaussians say, given the known pixels: one of them, or both. */
  private ask(known: Known): Opinion[] {
    const front: Opinion = { share: 1, gaussian: this.front, mirrored: false, posterior: this.front.posterior(known) };
    if (!this.turned) return [front];
    const turn = this.direction.reduce((sum, value, j) => sum + value * front.posterior.mean[j], 0);
    const [least, most] = TURNS;
    const share = Math.min(Math.max((Math.abs(turn) - least) / (most - least), 0), 1);
    const opinions: Opinion[] = [];
    if (share < 1) opinions.push({ ...front, share: 1 - share });
    if (share > 0) {
      const left = turn < 0;
      const seen = left ? { colour: mirrored(known.colour), weight: mirrored(known.weight) } : known;
      opinions.push({ share, gaussian: this.turned, mirrored: left, posterior: this.turned.posterior(seen) });
    }
    return opinions;
  }

  /** A plausible face, of the Gaussian that counts more. */
  private draw(opinions: Opinion[], seed: number): Floats {
    const first = opinions.reduce((best, each) => (each.share > best.share ? each : best));
    return faceOf(first, first.posterior.draw(seed, this.spread));
  }
}

/** The posteriors' mean, (r, r, 3). */
function likeliest(opinions: Opinion[]): Floats {
  const faces = opinions.map((opinion) => faceOf(opinion, opinion.posterior.mean));
  const data = faces[0].data.map((_, i) =>
    faces.reduce((sum, face, n) => sum + fround(opinions[n].share * face.data[i]), 0),
  );
  return { ...faces[0], data };
}

/** The face of some amounts of a Gaussian's eigenfaces, as the face stands. */
function faceOf(opinion: Opinion, amounts: Float64Array): Floats {
  const face = opinion.gaussian.face(amounts);
  return opinion.mirrored ? mirrored(face) : face;
}

function mirrored(plane: Floats): Floats {
  const { width, height, channels } = plane;
  const made = floats(width, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [(y * width + x) * channels, (y * width + width - 1 - x) * channels];
      for (let c = 0; c < channels; c++) made.data[to + c] = plane.data[from + c];
    }
  }
  return made;
}

/** Joins a face, (r, r, 3), to what is known without a step in colour, in place. */
function join(known: Known, guess: Floats): void {
  const residual = floats(guess.width, guess.height, 3);
  const seen = { ...known.weight, data: known.weight.data.map((weight) => (weight > 0 ? 1 : 0)) };
  for (let i = 0; i < residual.data.length; i++) {
    if (!seen.data[Math.floor(i / 3)]) continue;
    residual.data[i] = Math.min(Math.max(fround(known.colour.data[i] - guess.data[i]), -CARRIED), CARRIED);
  }
  const carried = extrapolate(residual, seen);
  for (let i = 0; i < guess.data.length; i++) guess.data[i] += carried.data[i];
}
