/** Where a photo lies on the stage: as large as it fits, or enlarged and moved about. */

import { clamp } from "./dom";

export interface Point {
  x: number;
  y: number;
}

/** Canvas pixels: of a pixel of the photo, of its upper left corner, of a pixel of the page. */
export interface Place {
  scale: number;
  left: number;
  top: number;
  ratio: number;
}

interface Size {
  width: number;
  height: number;
}

const MARGIN = 20;
const MOST_ZOOM = 16;
const AROUND_FACE = 1.4;

export class View {
  private zoom = 1;
  private panX = 0;
  private panY = 0;

  /** `root`: what `canvas` fills, in pixels of the page. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly root: HTMLElement,
  ) {}

  /** Part of the photo may lie beyond the stage. */
  get enlarged(): boolean {
    return this.zoom > 1;
  }

  get middle(): Point {
    return { x: this.canvas.width / 2, y: this.canvas.height / 2 };
  }

  whole(): void {
    this.zoom = 1;
    this.panX = this.panY = 0;
  }

  place(photo: Size): Place {
    const { width, height } = this.canvas;
    const margin = 2 * this.margin();
    const scale = this.zoom * Math.min((width - margin) / photo.width, (height - margin) / photo.height);
    const spareX = Math.max(0, (photo.width * scale - width + margin) / 2);
    const spareY = Math.max(0, (photo.height * scale - height + margin) / 2);
    this.panX = clamp(this.panX, -spareX, spareX);
    this.panY = clamp(this.panY, -spareY, spareY);
    const left = (width - photo.width * scale) / 2 + this.panX;
    const top = (height - photo.height * scale) / 2 + this.panY;
    return { scale, left, top, ratio: devicePixelRatio || 1 };
  }

  /** What lies at `at` stays there, but at the photo's edge. Gives where a point lies then. */
  zoomBy(photo: Size, factor: number, at: Point): (point: Point) => Point {
    const before = this.place(photo);
    this.zoom = clamp(this.zoom * factor, 1, MOST_ZOOM);
    const share = this.place(photo).scale / before.scale;
    const there = ({ x, y }: Point): Point => {
      const { left, top } = this.place(photo);
      return { x: left + (x - before.left) * share, y: top + (y - before.top) * share };
    };
    const moved = there(at);
    this.panX += at.x - moved.x;
    this.panY += at.y - moved.y;
    return there;
  }

  /** As large as a box of the photo, left, top, right, bottom, fits. */
  zoomTo(photo: Size, [left, top, right, bottom]: readonly number[]): void {
    this.whole();
    const fit = this.place(photo).scale;
    const side = Math.max(right - left, bottom - top) * fit * AROUND_FACE;
    this.zoom = clamp(Math.min(this.canvas.width, this.canvas.height) / side, 1, MOST_ZOOM);
    this.panX = (photo.width / 2 - (left + right) / 2) * fit * this.zoom;
    this.panY = (photo.height / 2 - (top + bottom) / 2) * fit * this.zoom;
  }

  /** Not beyond the photo's edge. Gives how far it went. */
  moveBy(photo: Size, x: number, y: number): Point {
    const before = this.place(photo);
    this.panX += x;
    this.panY += y;
    const after = this.place(photo);
    return { x: after.left - before.left, y: after.top - before.top };
  }

  /** The nearest point that is not in the margin. */
  inside({ x, y }: Point): Point {
    const margin = this.margin();
    const { width, height } = this.canvas;
    return { x: clamp(x, margin, width - margin), y: clamp(y, margin, height - margin) };
  }

  /** Between the photo and the edge of the stage. */
  private margin(): number {
    return Math.min(MARGIN, this.root.clientWidth / 24) * (devicePixelRatio || 1);
  }
}
