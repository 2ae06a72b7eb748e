/** The first time, the divider moves over the face by itself: from before to the middle. */

import { calm, clamp } from "./dom";

const MILLISECONDS = 900;

/** Calls `show` with the share that shows before, as long as it returns true; not for those who want no motion. */
export function reveal(show: (share: number) => boolean): void {
  if (calm.matches) return;
  const begun = performance.now();
  const step = (now: number): void => {
    const t = clamp((now - begun) / MILLISECONDS, 0, 1);
    if (show(1 - 0.5 * (1 - (1 - t) ** 3)) && t < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
