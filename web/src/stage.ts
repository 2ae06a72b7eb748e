/** The stage: shows one photo, zooms and pans it, and turns pointers and keys into strokes. */

import { byId, clamp } from "./dom";
import { draw, type Frame, visible } from "./draw";
import type { Photo } from "./photo";
import { Pictures } from "./pictures";
import { type Point, View } from "./view";

export interface StageEvents {
  /** A stroke has ended, or was none. */
  painted(): void;
  /** The slider was moved on the photo: the share that shows how it was. */
  compared(share: number): void;
}

const PAN = 1 / 8; // of the stage, for a key
const STEP = 0.02;

export class Stage {
  mode: "mask" | "result" = "mask";
  erase = false;
  boxes = true;
  showInvented = false;
  /** 0..1, of the smallest to the largest brush. */
  size = 0.45;
  private photo: Photo | null = null;
  private readonly pictures = new Pictures(() => this.redraw());
  private readonly root = byId("stage");
  private readonly canvas = byId<HTMLCanvasElement>("canvas");
  private readonly context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
  private readonly view = new View(this.canvas, this.root);
  private pointers = new Map<number, Point>();
  private comparedBefore = 0; // where the divider was before a finger moved it
  private gesture: "none" | "paint" | "compare" | "pan" | "pinch" = "none";
  private brush: Point | null = null;
  private peek = false;
  private waiting = false;

  constructor(private readonly events: StageEvents) {
    new ResizeObserver(() => this.redraw()).observe(this.root);
    this.root.addEventListener("pointerdown", (event) => this.down(event));
    this.root.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.root.addEventListener(name, (event) => this.up(event));
    }
    this.root.addEventListener("pointerleave", () => this.point(null));
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("keyup", (event) => event.key === " " && this.setPeek(false));
    this.root.addEventListener("blur", () => this.setPeek(false));
  }

  /** A stroke is being drawn. */
  get painting(): boolean {
    return this.gesture === "paint";
  }

  show(photo: Photo | null): void {
    if (photo !== this.photo) {
      // What the pointers go on with is meant for neither.
      this.gesture = "none";
      this.pointers.clear();
      this.view.whole();
      this.brush = null;
    }
    this.photo = photo;
    this.pictures.show(photo, this.showInvented);
    this.redraw();
  }

  /** Settles when what is shown is decoded. */
  get settled(): Promise<void> {
    return this.pictures.settled;
  }

  redraw(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  /** Diameter of the brush in the photo's pixels. */
  diameter(): number {
    if (!this.photo) return 0;
    const side = Math.min(this.photo.width, this.photo.height);
    return Math.max(2, side * 0.008 * 40 ** this.size);
  }

  /** `at`: what lies there stays there. Without: where the brush is, or in the middle. */
  zoomBy(factor: number, at?: Point): void {
    if (!this.photo) return;
    const there = this.view.zoomBy(this.photo, factor, at ?? this.brush ?? this.view.middle);
    // At the photo's edge, where that is not all: no pointer is there that would hold the brush.
    if (!at && this.brush) this.brush = there(this.brush);
    this.redraw();
  }

  /** A face as large as it fits; the second time, the whole photo. */
  zoomToFace(): void {
    const box = this.photo?.subject?.box;
    this.brush = null;
    if (this.photo && box && !this.view.enlarged) this.view.zoomTo(this.photo, box);
    else this.view.whole();
    this.redraw();
  }

  private paint(): void {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.root.clientWidth * ratio);
    const height = Math.round(this.root.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const { before, after, invented } = this.pictures;
    if (!this.photo || !before || width < 8 || height < 8) return;
    const place = this.view.place(this.photo);
    const brush = this.mode === "mask" && this.photo.paintable ? this.brush : null;
    const frame: Frame = {
      photo: this.photo,
      before,
      after,
      invented,
      mode: this.mode,
      ...place,
      boxes: this.boxes,
      compare: this.peek ? 1 : this.photo.compare,
      brush: brush && { ...brush, diameter: this.diameter() * place.scale, erase: this.erase },
    };
    draw(this.context, frame);
    // Where the photo lies, for the labels over it and for whoever tests the page.
    const { style } = this.root;
    style.setProperty("--photo-left", `${place.left / ratio}px`);
    style.setProperty("--photo-top", `${place.top / ratio}px`);
    style.setProperty("--photo-width", `${(this.photo.width * place.scale) / ratio}px`);
    style.setProperty("--photo-height", `${(this.photo.height * place.scale) / ratio}px`);
  }

  /** Canvas pixels of an event. */
  private at(event: PointerEvent | WheelEvent): Point {
    const bounds = this.canvas.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    return { x: (event.clientX - bounds.left) * ratio, y: (event.clientY - bounds.top) * ratio };
  }

  private point(brush: Point | null): void {
    this.brush = brush;
    if (this.mode === "mask") this.redraw();
  }

  private down(event: PointerEvent): void {
    if (!this.photo) return;
    const at = this.at(event);
    this.root.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size > 1) {
      // A second finger: the first was no stroke after all. Nor is one more.
      if (this.gesture === "paint" && this.photo.mask.dropStroke()) this.events.painted();
      if (this.gesture === "compare") this.events.compared(this.comparedBefore);
      this.gesture = "pinch";
    } else if (event.button === 1 || event.shiftKey) {
      this.gesture = "pan";
      event.preventDefault();
    } else if (event.button === 0) {
      this.gesture = this.mode === "result" ? "compare" : this.photo.paintable ? "paint" : "none";
      this.comparedBefore = this.photo.compare;
      this.follow(at);
    }
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (this.gesture === "pinch" && before) {
      this.pinch(event.pointerId, before, at);
    } else if (this.gesture === "pan" && before) {
      if (this.photo) this.view.moveBy(this.photo, at.x - before.x, at.y - before.y);
      this.redraw();
    } else if (before) {
      // Fast hands make more points than frames.
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) this.follow(this.at(each));
    }
    if (before) this.pointers.set(event.pointerId, at);
    if (event.pointerType !== "touch" || before) this.point(at);
  }

  private up(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    if (this.gesture === "paint") this.settle();
    if (this.pointers.size === 0) this.gesture = "none";
    if (event.pointerType === "touch") this.point(null);
  }

  private pinch(id: number, before: Point, at: Point): void {
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    if (!other || !this.photo) return;
    this.view.moveBy(this.photo, (at.x - before.x) / 2, (at.y - before.y) / 2);
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(at.x - other.x, at.y - other.y);
    if (was > 1) this.zoomBy(is / was, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
    this.redraw();
  }

  private follow(at: Point): void {
    if (!this.photo) return;
    const place = this.view.place(this.photo);
    const x = (at.x - place.left) / place.scale;
    const y = (at.y - place.top) / place.scale;
    if (this.gesture === "paint") {
      this.photo.mask.stroke(x, y, this.diameter(), this.erase);
      this.redraw();
    } else if (this.gesture === "compare") {
      const seen = visible({ photo: this.photo, ...place }, this.canvas);
      this.events.compared(clamp((at.x - seen.left) / seen.width, 0, 1));
    }
  }

  private settle(): void {
    if (this.photo?.mask.endStroke()) this.events.painted();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), this.at(event));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.photo) return;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const ways: Record<string, [number, number]> = { w: [0, 1], a: [1, 0], s: [0, -1], d: [-1, 0] };
    const arrow = arrows[event.key];
    const way = ways[event.key.toLowerCase()];
    if (arrow && this.mode === "result") {
      const step = (arrow[0] - arrow[1]) * (event.shiftKey ? 5 * STEP : STEP);
      this.events.compared(clamp(this.photo.compare + step, 0, 1));
    } else if (arrow) {
      this.moveBrush(arrow, event.shiftKey);
    } else if (way) {
      this.pan(way);
    } else if (event.key === " " && this.mode === "result") {
      this.setPeek(true);
    } else if (event.key === " ") {
      this.dab();
    } else if (event.key === "+" || event.key === "=") {
      this.zoomBy(1.25);
    } else if (event.key === "-") {
      this.zoomBy(0.8);
    } else if (event.key === "0") {
      this.zoomBy(0);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Move what is enlarged, so that another part of it is seen. */
  private pan([dx, dy]: [number, number]): void {
    if (!this.photo) return;
    const { width, height } = this.canvas;
    const { x, y } = this.view.moveBy(this.photo, dx * PAN * width, dy * PAN * height);
    if (this.brush) this.brush = { x: this.brush.x + x, y: this.brush.y + y };
    this.redraw();
  }

  private moveBrush([dx, dy]: [number, number], far: boolean): void {
    if (!this.photo) return;
    const place = this.view.place(this.photo);
    const step = Math.max(4, this.diameter() * place.scale * (far ? 1 : 0.25));
    const from = this.brush ?? this.view.middle;
    const x = clamp(from.x + dx * step, place.left, place.left + this.photo.width * place.scale);
    const y = clamp(from.y + dy * step, place.top, place.top + this.photo.height * place.scale);
    // What does not fit on the stage comes to the brush.
    const seen = this.view.inside({ x, y });
    this.view.moveBy(this.photo, seen.x - x, seen.y - y);
    this.point(seen);
  }

  private dab(): void {
    if (!this.photo?.paintable) return;
    this.brush ??= this.view.middle;
    this.gesture = "paint";
    this.follow(this.brush);
    this.settle();
    this.gesture = "none";
  }

  private setPeek(on: boolean): void {
    if (this.peek === on) return;
    this.peek = on;
    this.redraw();
  }
}
