/** What is hidden, at the photo's own resolution: painted, erased, undone, sent. */

import { type Bytes, bytes, crop } from "./device/image";
import { freeCanvas, makeCanvas, toBlob } from "./dom";

/** A part of the photo, in whole pixels. */
interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Step extends Part {
  /** How opaque the part was, and is. */
  before: Uint8Array;
  after: Uint8Array;
  /** Of the mask before and after this step. */
  revisions: [number, number];
}

const MOST_STEPS = 60;
/** Pixels of all steps: of a large photo, a step may be all of it. */
const MOST_PIXELS = 50e6;
const HALF = 128;

export class MaskLayer {
  /** Opaque where hidden. */
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  /** How opaque it was before the stroke that is being drawn. */
  private readonly settled: Bytes;
  private steps: Step[] = [];
  private done = 0;
  private dirty: [number, number, number, number] | null = null;
  private last: [number, number] | null = null;
  /** The same number, the same mask: also after a step and its undoing. */
  revision = 0;
  private newest = 0;
  /** Of the mask without the stroke that is being drawn, and of what was found. */
  private settledRevision = 0;
  private foundRevision = 0;
  private emptiness = { revision: 0, empty: true };

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    [this.canvas, this.context] = makeCanvas(width, height);
    this.settled = bytes(width, height);
  }

  get canUndo(): boolean {
    return this.done > 0 && !this.dirty; // not in the middle of a stroke
  }

  get canRedo(): boolean {
    return this.done < this.steps.length && !this.dirty;
  }

  /** Whether it is no longer what was found. */
  get edited(): boolean {
    return this.revision !== this.foundRevision;
  }

  /** Takes what has just been found, white = hidden, and forgets the past. */
  find(picture: CanvasImageSource): void {
    this.foundRevision = ++this.newest;
    this.goBack(picture);
    this.steps = [];
    this.done = 0;
  }

  /** Takes what was found once more, as one step. */
  goBack(found: CanvasImageSource): void {
    this.revision = this.foundRevision;
    drawMask(this.context, found);
    this.dirty = [0, 0, this.width, this.height];
    this.settle();
  }

  clear(): void {
    this.revision = ++this.newest;
    this.context.clearRect(0, 0, this.width, this.height);
    this.dirty = [0, 0, this.width, this.height];
    this.settle();
  }

  /** One more point of a stroke, in the photo's pixels. */
  stroke(x: number, y: number, diameter: number, erase: boolean): void {
    const { context } = this;
    if (!this.dirty) this.revision = ++this.newest;
    const [fromX, fromY] = this.last ?? [x, y];
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    context.lineCap = "round";
    context.lineWidth = diameter;
    context.strokeStyle = "#fff";
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(x, y);
    context.stroke();
    // A line of no length draws nothing, and a tap is one.
    context.beginPath();
    context.arc(x, y, diameter / 2, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.fill();
    context.globalCompositeOperation = "source-over";
    this.last = [x, y];
    const r = diameter / 2 + 2;
    this.grow(Math.min(x, fromX) - r, Math.min(y, fromY) - r, Math.max(x, fromX) + r, Math.max(y, fromY) + r);
  }

  /** Ends a stroke: it becomes one step of the history. Whether anything was drawn. */
  endStroke(): boolean {
    this.last = null;
    return this.settle();
  }

  /** What is drawn so far becomes a step; a stroke goes on as another one. Whether anything was drawn. */
  settle(): boolean {
    const part = this.dirtyPart();
    this.dirty = null;
    if (!part) {
      this.revision = this.settledRevision;
      return false;
    }
    const revisions: [number, number] = [this.settledRevision, this.revision];
    const before = this.kept(part);
    const after = this.drawn(part);
    this.keep(part, after);
    this.steps = [...this.steps.slice(0, this.done), { ...part, before, after, revisions }];
    let held = this.steps.reduce((sum, { width, height }) => sum + width * height, 0);
    while (this.steps.length > MOST_STEPS || (held > MOST_PIXELS && this.steps.length > 1)) {
      const oldest = this.steps.shift() as Step;
      held -= oldest.width * oldest.height;
    }
    this.done = this.steps.length;
    this.settledRevision = this.revision;
    return true;
  }

  /** What is being drawn was no stroke after all. Whether anything was drawn. */
  dropStroke(): boolean {
    this.last = null;
    const part = this.dirtyPart();
    this.dirty = null;
    this.revision = this.settledRevision;
    if (part) this.draw(part, this.kept(part));
    return part !== null;
  }

  undo(): void {
    if (!this.canUndo) return;
    this.done--;
    this.put(this.steps[this.done], "before");
  }

  redo(): void {
    if (!this.canRedo) return;
    this.put(this.steps[this.done], "after");
    this.done++;
  }

  /** White = hidden, in two values: brushes have soft edges, masks do not. */
  async toFile(): Promise<Blob> {
    const image = this.context.getImageData(0, 0, this.width, this.height);
    for (let i = 0; i < image.data.length; i += 4) {
      const value = image.data[i + 3] >= HALF ? 255 : 0;
      image.data[i] = image.data[i + 1] = image.data[i + 2] = value;
      image.data[i + 3] = 255;
    }
    const [canvas, context] = makeCanvas(this.width, this.height);
    context.putImageData(image, 0, 0);
    return toBlob(canvas).finally(() => freeCanvas(canvas));
  }

  isEmpty(): boolean {
    // Looked up once a revision: it is asked whenever the page is refreshed, and takes all pixels.
    if (this.emptiness.revision !== this.revision) {
      const { data } = this.context.getImageData(0, 0, this.width, this.height);
      let empty = true;
      for (let i = 3; i < data.length && empty; i += 4) empty = data[i] < HALF;
      if (this.dirty) return empty; // the stroke goes on
      this.emptiness = { revision: this.revision, empty };
    }
    return this.emptiness.empty;
  }

  /** Frees its pixels. */
  close(): void {
    freeCanvas(this.canvas);
  }

  private grow(left: number, top: number, right: number, bottom: number): void {
    const [l, t, r, b] = this.dirty ?? [left, top, right, bottom];
    this.dirty = [Math.min(l, left), Math.min(t, top), Math.max(r, right), Math.max(b, bottom)];
  }

  /** What was drawn since the last step; null: nothing that is in the photo. */
  private dirtyPart(): Part | null {
    if (!this.dirty) return null;
    const x = Math.max(0, Math.floor(this.dirty[0]));
    const y = Math.max(0, Math.floor(this.dirty[1]));
    const width = Math.min(this.width, Math.ceil(this.dirty[2])) - x;
    const height = Math.min(this.height, Math.ceil(this.dirty[3])) - y;
    return width > 0 && height > 0 ? { x, y, width, height } : null;
  }

  private put(step: Step, which: "before" | "after"): void {
    this.draw(step, step[which]);
    this.keep(step, step[which]);
    this.revision = this.settledRevision = step.revisions[which === "before" ? 0 : 1];
  }

  private drawn({ x, y, width, height }: Part): Uint8Array {
    const { data } = this.context.getImageData(x, y, width, height);
    const made = new Uint8Array(width * height);
    for (let p = 0; p < made.length; p++) made[p] = data[4 * p + 3];
    return made;
  }

  private draw({ x, y, width, height }: Part, opacity: Uint8Array): void {
    const image = new ImageData(width, height);
    image.data.fill(255);
    opacity.forEach((value, p) => {
      image.data[4 * p + 3] = value;
    });
    this.context.putImageData(image, x, y);
  }

  private kept({ x, y, width, height }: Part): Uint8Array {
    return crop(this.settled, { left: x, top: y, right: x + width, bottom: y + height }).data;
  }

  private keep({ x, y, width, height }: Part, opacity: Uint8Array): void {
    for (let row = 0; row < height; row++) {
      const line = opacity.subarray(row * width, (row + 1) * width);
      this.settled.data.set(line, (y + row) * this.width + x);
    }
  }
}

/** A black and white picture as a mask: opaque where it is white. */
export function drawMask(context: CanvasRenderingContext2D, picture: CanvasImageSource): void {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = "copy";
  context.drawImage(picture, 0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  const image = context.getImageData(0, 0, width, height);
  for (let i = 0; i < image.data.length; i += 4) {
    image.data[i + 3] = image.data[i] >= HALF ? 255 : 0;
  }
  context.putImageData(image, 0, 0);
}

/** The same as numbers: over 0 where it is opaque. */
export function maskOf(canvas: HTMLCanvasElement): Bytes {
  const { width, height } = canvas;
  const mask = bytes(width, height);
  const image = canvas.getContext("2d")?.getImageData(0, 0, width, height);
  if (image) for (let p = 0; p < mask.data.length; p++) mask.data[p] = image.data[4 * p + 3];
  return mask;
}
