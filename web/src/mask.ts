/** What is hidden, at the photo's own resolution: painted, erased, undone, sent. */

import { makeCanvas, toBlob } from "./dom";

interface Step {
  x: number;
  y: number;
  before: ImageData;
  after: ImageData;
  /** Whether the mask was edited before and is after this step. */
  edited: [boolean, boolean];
}

const MOST_STEPS = 60;
const HALF = 128;

export class MaskLayer {
  /** Opaque where hidden. */
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  /** As it was before the stroke that is being drawn. */
  private readonly settled: CanvasRenderingContext2D;
  private steps: Step[] = [];
  private done = 0;
  private dirty: [number, number, number, number] | null = null;
  private last: [number, number] | null = null;
  /** Whether it is no longer what was found. */
  edited = false;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    [this.canvas, this.context] = makeCanvas(width, height);
    this.settled = makeCanvas(width, height)[1];
  }

  get canUndo(): boolean {
    return this.done > 0;
  }

  get canRedo(): boolean {
    return this.done < this.steps.length;
  }

  /** Takes a black and white picture, white = hidden, as one step. */
  load(picture: CanvasImageSource, edited: boolean): void {
    const { context, width, height } = this;
    context.globalCompositeOperation = "copy";
    context.drawImage(picture, 0, 0, width, height);
    context.globalCompositeOperation = "source-over";
    const image = context.getImageData(0, 0, width, height);
    for (let i = 0; i < image.data.length; i += 4) {
      image.data[i + 3] = image.data[i] >= HALF ? 255 : 0;
    }
    context.putImageData(image, 0, 0);
    this.dirty = [0, 0, width, height];
    this.settle(edited);
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
    this.dirty = [0, 0, this.width, this.height];
    this.settle(true);
  }

  /** Forgets the past, as when the mask has just been found. */
  forget(): void {
    this.steps = [];
    this.done = 0;
  }

  /** One more point of a stroke, in the photo's pixels. */
  stroke(x: number, y: number, diameter: number, erase: boolean): void {
    const { context } = this;
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
    return this.settle(true);
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
    return toBlob(canvas);
  }

  isEmpty(): boolean {
    const { data } = this.context.getImageData(0, 0, this.width, this.height);
    for (let i = 3; i < data.length; i += 4) if (data[i] >= HALF) return false;
    return true;
  }

  private grow(left: number, top: number, right: number, bottom: number): void {
    const [l, t, r, b] = this.dirty ?? [left, top, right, bottom];
    this.dirty = [Math.min(l, left), Math.min(t, top), Math.max(r, right), Math.max(b, bottom)];
  }

  private settle(edited: boolean): boolean {
    if (!this.dirty) return false;
    const left = Math.max(0, Math.floor(this.dirty[0]));
    const top = Math.max(0, Math.floor(this.dirty[1]));
    const width = Math.min(this.width, Math.ceil(this.dirty[2])) - left;
    const height = Math.min(this.height, Math.ceil(this.dirty[3])) - top;
    this.dirty = null;
    if (width <= 0 || height <= 0) return false;
    const before = this.settled.getImageData(left, top, width, height);
    const after = this.context.getImageData(left, top, width, height);
    this.settled.putImageData(after, left, top);
    this.steps = [
      ...this.steps.slice(0, this.done),
      { x: left, y: top, before, after, edited: [this.edited, edited] as [boolean, boolean] },
    ].slice(-MOST_STEPS);
    this.done = this.steps.length;
    this.edited = edited;
    return true;
  }

  private put(step: Step, which: "before" | "after"): void {
    this.context.putImageData(step[which], step.x, step.y);
    this.settled.putImageData(step[which], step.x, step.y);
    this.edited = step.edited[which === "before" ? 0 : 1];
  }
}
