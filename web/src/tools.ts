/** Brush, eraser and their size: what the controls say and what the stage does. */

import { byId, clamp } from "./dom";
import type { Stage } from "./stage";

export class Tools {
  constructor(private readonly stage: Stage) {}

  choose(erase: boolean): void {
    this.stage.erase = erase;
    byId("brush").setAttribute("aria-pressed", String(!erase));
    byId("eraser").setAttribute("aria-pressed", String(erase));
    this.stage.redraw();
  }

  /** 0..100, of the smallest to the largest brush. */
  resize(value: number): void {
    const slider = byId<HTMLInputElement>("size");
    slider.value = String(clamp(value, 0, 100));
    this.stage.size = Number(slider.value) / 100;
    const pixels = Math.round(this.stage.diameter());
    byId("size-out").textContent = pixels ? `${pixels} px` : "";
    slider.setAttribute("aria-valuetext", `${pixels} pixels`);
    this.stage.redraw();
  }
}
