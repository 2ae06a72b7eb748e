/** The sliders between before and after. */

import { byId } from "./dom";

/** @param share of the picture that shows how it was, 0..1. */
export function showShare(id: "compare" | "clip-compare", share: number): void {
  const slider = byId<HTMLInputElement>(id);
  const before = Math.round(100 * share);
  slider.value = String(before);
  slider.setAttribute("aria-valuetext", `${before} % before, ${100 - before} % after`);
  byId(`${id}-out`).textContent = `${before} %`;
}
