/** What is hidden, at the photo's own resolution: painted, erased, undone, sent. */

import { type Bytes, bytes, crop } from "./device/image";
import { freeCanvas, makeCanvas, toBlob } from "./dom";
import { pack, unpack } from "./runs";

/** A part of the photo, in whole pixels. */
interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Step extends Part {
  /** How opaque the part was, and is; packed. */
  before: Uint8Array;
  after: Uint8Array;
  /** Of the mask before and after this step. */
  revisions: [number, number];
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const MOST_STEPS = 60;
const HALF = 128;
/** Rows that are turned from opacity to pixels at once: of all of a large photo, that would be 4 bytes a pixel more. */
const BAND = 256;
const NOTHING = new Uint8Array(0);

/** While its photo is shown it is awake, with a canvas to paint on; else it is packed, some 100 kB. */
export class MaskLayer {
  /** Opaque where hidden. */
  canvas: HTMLCanvasElement | null = null;
  private context: CanvasRenderingContext2D | null = null;
  /** How opaque it is without the stroke that is being drawn. */
  private settled: Bytes | null = null;
  /** The same while it sleeps. */
  private packed: Uint8Array = NOTHING;
  private found: Uint8Array = NOTHING;
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
  ) {}

  /** Its photo is shown from now on. */
  wake(): void {
    [this.canvas, this.context] = makeCanvas(this.width, this.height);
    this.settled = bytes(this.width, this.height);
    this.put(this.whole, this.packed);
    this.packed = NOTHING;
  }

  /** Its photo is no longer shown: what was painted stays, its pixels are freed. */
  sleep(): void {
    if (!this.canvas || !this.settled) return;
    this.endStroke();
    this.packed = pack(this.settled.data);
    freeCanvas(this.canvas);
    this.canvas = this.context = this.settled = null;
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

  /** Takes what has just been found, and forgets the past. */
  find(opacity: Uint8Array): void {
    this.dirty = null;
    this.found = pack(opacity);
    this.foundRevision = this.settledRevision = this.revision = ++this.newest;
    this.steps = [];
    this.done = 0;
    if (this.settled) this.put(this.whole, this.found);
    else this.packed = this.found;
  }

  /** Takes what was found once more, as one step. */
  goBack(): void {
    this.change(this.found, this.foundRevision);
  }

  clear(): void {
    this.settle(); // a stroke that goes on counts as far as it is drawn
    if (!this.isEmpty()) this.change(NOTHING, ++this.newest);
  }

  /** One more point of a stroke, in the photo's pixels. */
  stroke(x: number, y: number, diameter: number, erase: boolean): void {
    const { context } = this;
    if (!context) return;
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
    const after = this.drawn(part);
    const step = { ...part, before: pack(this.kept(part)), after: pack(after) };
    this.keep(part, after);
    this.remember({ ...step, revisions: [this.settledRevision, this.revision] });
    this.settledRevision = this.revision;
    return true;
  }

  /** What is being drawn was no stroke after all. Whether anything was drawn. */
  dropStroke(): boolean {
    this.last = null;
    const part = this.dirtyPart();
    this.dirty = null;
    this.revision = this.settledRevision;
    if (part && this.context) drawOpacity(this.context, part, this.kept(part));
    return part !== null;
  }

  undo(): void {
    if (!this.canUndo) return;
    this.done--;
    this.go(this.steps[this.done], "before");
  }

  redo(): void {
    if (!this.canRedo) return;
    this.go(this.steps[this.done], "after");
    this.done++;
  }

  /** White = hidden, in two values: brushes have soft edges, masks do not. Without a stroke that goes on. */
  async toFile(): Promise<Blob> {
    const [canvas, context] = makeCanvas(this.width, this.height);
    drawOpacity(context, this.whole, this.opacity.map((value) => (value >= HALF ? 255 : 0)));
    context.globalCompositeOperation = "destination-over";
    context.fillRect(0, 0, this.width, this.height);
    return toBlob(canvas).finally(() => freeCanvas(canvas));
  }

  /** Without a stroke that goes on. */
  isEmpty(): boolean {
    // Looked up once a revision: it is asked whenever the page is refreshed, and takes all pixels.
    if (this.emptiness.revision !== this.settledRevision) {
      const { opacity } = this;
      let p = 0;
      while (p < opacity.length && opacity[p] < HALF) p++;
      this.emptiness = { revision: this.settledRevision, empty: p === opacity.length };
    }
    return this.emptiness.empty;
  }

  private get whole(): Part {
    return { x: 0, y: 0, width: this.width, height: this.height };
  }

  private get opacity(): Uint8Array {
    return this.settled?.data ?? unpack(this.packed, this.width * this.height);
  }

  /** Becomes another mask, as one step. */
  private change(packed: Uint8Array, revision: number): void {
    this.endStroke();
    const step = { ...this.whole, before: pack(this.opacity), after: packed };
    this.remember({ ...step, revisions: [this.settledRevision, revision] });
    this.put(this.whole, packed);
    this.revision = this.settledRevision = revision;
  }

  private remember(step: Step): void {
    this.steps = [...this.steps.slice(0, this.done), step].slice(-MOST_STEPS);
    this.done = this.steps.length;
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

  private go(step: Step, to: "before" | "after"): void {
    this.put(step, step[to]);
    this.revision = this.settledRevision = step.revisions[to === "before" ? 0 : 1];
  }

  private put(part: Part, packed: Uint8Array): void {
    const opacity = unpack(packed, part.width * part.height);
    if (this.context) drawOpacity(this.context, part, opacity);
    this.keep(part, opacity);
  }

  private drawn({ x, y, width, height }: Part): Uint8Array {
    const made = new Uint8Array(width * height);
    for (let top = 0; top < height && this.context; top += BAND) {
      const { data } = this.context.getImageData(x, y + top, width, Math.min(BAND, height - top));
      for (let from = 3, to = top * width; from < data.length; from += 4, to++) made[to] = data[from];
    }
    return made;
  }

  private kept({ x, y, width, height }: Part): Uint8Array {
    if (!this.settled) return NOTHING;
    return crop(this.settled, { left: x, top: y, right: x + width, bottom: y + height }).data;
  }

  private keep({ x, y, width, height }: Part, opacity: Uint8Array): void {
    for (let row = 0; row < height; row++) {
      const line = opacity.subarray(row * width, (row + 1) * width);
      this.settled?.data.set(line, (y + row) * this.width + x);
    }
  }
}

/** Puts white pixels of this opacity on a canvas. */
export function drawOpacity(context: Context, { x, y, width, height }: Part, opacity: Uint8Array): void {
  for (let top = 0; top < height; top += BAND) {
    const image = new ImageData(width, Math.min(BAND, height - top));
    image.data.fill(255);
    for (let from = top * width, to = 3; to < image.data.length; from++, to += 4) image.data[to] = opacity[from];
    context.putImageData(image, x, y + top);
  }
}

/** A black and white picture's file as a mask: opaque where it is white. */
export async function opacityOf(file: Blob): Promise<Bytes> {
  const picture = await createImageBitmap(file);
  const mask = bytes(picture.width, picture.height);
  const [canvas, context] = makeCanvas(mask.width, Math.min(BAND, mask.height));
  for (let top = 0; top < mask.height; top += BAND) {
    context.drawImage(picture, 0, -top);
    const { data } = context.getImageData(0, 0, mask.width, Math.min(BAND, mask.height - top));
    for (let from = 0, to = top * mask.width; from < data.length; from += 4, to++) {
      mask.data[to] = data[from] >= HALF ? 255 : 0;
    }
  }
  picture.close();
  freeCanvas(canvas);
  return mask;
}
