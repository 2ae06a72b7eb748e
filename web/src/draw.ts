/** Paints the stage: photo, what is hidden or invented, faces, divider, brush. */

import { makeCanvas } from "./dom";
import type { Photo } from "./photo";
import type { Place, Point } from "./view";

export interface Frame extends Place {
  photo: Photo;
  /** Decoded, or a small view of it. */
  before: CanvasImageSource;
  after: CanvasImageSource | null;
  /** Opaque where invented; null: not to be shown. */
  invented: CanvasImageSource | null;
  mode: "mask" | "result";
  boxes: boolean;
  /** Share of the photo that shows how it was. */
  compare: number;
  /** Where the brush is, in canvas pixels, and its diameter. */
  brush: (Point & { diameter: number; erase: boolean }) | null;
}

let layer: [HTMLCanvasElement, CanvasRenderingContext2D] | null = null;
let hatch: HTMLCanvasElement | null = null;

export function draw(context: CanvasRenderingContext2D, frame: Frame): void {
  const { canvas } = context;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  const { photo, left, top, scale } = frame;
  const width = photo.width * scale;
  const height = photo.height * scale;
  const after = frame.mode === "result" ? frame.after : null;
  context.drawImage(frame.before, left, top, width, height);
  if (!after) {
    if (photo.mask.canvas) drawHatched(context, frame, photo.mask.canvas);
    if (frame.boxes) drawBoxes(context, frame);
    if (frame.brush) drawBrush(context, frame.brush, frame.ratio);
    return;
  }
  // The slider runs over what is seen of the photo, however near it is.
  const seen = visible(frame, canvas);
  const split = seen.left + seen.width * frame.compare;
  context.save();
  context.beginPath();
  context.rect(split, seen.top, seen.width * (1 - frame.compare), seen.height);
  context.clip();
  context.drawImage(after, left, top, width, height);
  if (frame.invented) drawHatched(context, frame, frame.invented);
  context.restore();
  if (frame.compare > 0 && frame.compare < 1) drawDivider(context, split, seen.top, seen.height, frame.ratio);
}

/** The part of the photo that lies within the canvas. */
export function visible(
  { photo, left, top, scale }: Pick<Frame, "photo" | "left" | "top" | "scale">,
  canvas: HTMLCanvasElement,
): { left: number; top: number; width: number; height: number } {
  const right = Math.min(canvas.width, left + photo.width * scale);
  const bottom = Math.min(canvas.height, top + photo.height * scale);
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  return { left: x, top: y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** The mask as a tint with stripes: seen on any skin, and by those who see no colours. */
function drawHatched(context: CanvasRenderingContext2D, frame: Frame, mask: CanvasImageSource): void {
  const { canvas } = context;
  layer ??= makeCanvas(canvas.width, canvas.height);
  const [surface, on] = layer;
  if (surface.width !== canvas.width || surface.height !== canvas.height) {
    surface.width = canvas.width;
    surface.height = canvas.height;
  }
  on.globalCompositeOperation = "copy";
  on.drawImage(mask, frame.left, frame.top, frame.photo.width * frame.scale, frame.photo.height * frame.scale);
  on.globalCompositeOperation = "source-in";
  hatch ??= makeHatch(frame.ratio);
  const pattern = on.createPattern(hatch, "repeat");
  if (pattern) {
    on.fillStyle = pattern;
    on.fillRect(0, 0, surface.width, surface.height);
  }
  on.globalCompositeOperation = "source-over";
  context.drawImage(surface, 0, 0);
}

function makeHatch(ratio: number): HTMLCanvasElement {
  const size = Math.round(9 * ratio);
  const [canvas, context] = makeCanvas(size, size);
  context.fillStyle = "rgb(88 80 214 / 0.5)";
  context.fillRect(0, 0, size, size);
  context.strokeStyle = "rgb(236 234 255 / 0.55)";
  context.lineWidth = 1.4 * ratio;
  for (const shift of [-size, 0, size]) {
    context.beginPath();
    context.moveTo(shift - ratio, size + ratio);
    context.lineTo(shift + size + ratio, -ratio);
    context.stroke();
  }
  return canvas;
}

function drawBoxes(context: CanvasRenderingContext2D, frame: Frame): void {
  const { scale, left, top, ratio } = frame;
  for (const { box } of frame.photo.faces) {
    const [l, t, r, b] = box.map((v) => v * scale);
    const radius = Math.min(18 * ratio, (r - l) / 6);
    for (const [style, width] of [
      ["rgb(0 0 0 / 0.35)", 4],
      ["rgb(255 255 255 / 0.95)", 2],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.roundRect(left + l, top + t, r - l, b - t, radius);
      context.stroke();
    }
  }
}

function drawBrush(context: CanvasRenderingContext2D, brush: NonNullable<Frame["brush"]>, ratio: number): void {
  context.setLineDash(brush.erase ? [4 * ratio, 4 * ratio] : []);
  for (const [style, grow] of [
    ["rgb(0 0 0 / 0.6)", 1],
    ["rgb(255 255 255 / 0.95)", 0],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = 1.5 * ratio;
    context.beginPath();
    context.arc(brush.x, brush.y, brush.diameter / 2 + grow * ratio, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
}

function drawDivider(context: CanvasRenderingContext2D, x: number, top: number, height: number, ratio: number): void {
  const middle = top + height / 2;
  const radius = 17 * ratio;
  context.save();
  context.shadowColor = "rgb(0 0 0 / 0.35)";
  context.shadowBlur = 8 * ratio;
  context.fillStyle = "#fff";
  context.fillRect(x - ratio, top, 2 * ratio, height);
  context.beginPath();
  context.arc(x, middle, radius, 0, 2 * Math.PI);
  context.fill();
  context.restore();
  context.strokeStyle = "#39363f";
  context.lineWidth = 2 * ratio;
  context.lineCap = context.lineJoin = "round";
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(x + side * 4 * ratio, middle - 5 * ratio);
    context.lineTo(x + side * 9 * ratio, middle);
    context.lineTo(x + side * 4 * ratio, middle + 5 * ratio);
    context.stroke();
  }
}
