/** The panel beside the stage, and the labels over it: what they say of the photo that is shown. */

import { byId } from "./dom";
import { preview } from "./jobs";
import type { Photo } from "./photo";

export type Mode = "mask" | "result";

const PREVIEW = 96;

export class Panel {
  private readonly status = byId("status");
  private readonly stage = byId("stage");
  private readonly compare = byId<HTMLInputElement>("compare");
  private shown: unknown[] = [];

  constructor(private readonly choose: (photo: Photo, variant: number) => void) {}

  show(photo: Photo | null, mode: Mode): void {
    if (!photo) return;
    const busy = photo.stage === "looking" || photo.stage === "restoring";
    byId("busy").hidden = !busy;
    this.stage.setAttribute("aria-busy", String(busy));
    this.stage.dataset.mode = mode;
    this.stage.setAttribute("aria-label", `${mode === "mask" ? "Mask of" : "Result of"} ${photo.name}`);
    byId<HTMLButtonElement>("tab-result").disabled = !photo.result;
    for (const name of ["mask", "result"]) {
      const tab = byId(`tab-${name}`);
      tab.setAttribute("aria-selected", String(name === mode));
      tab.tabIndex = name === mode ? 0 : -1;
      byId(`pane-${name}`).hidden = name !== mode;
    }
    byId<HTMLButtonElement>("undo").disabled = !photo.mask.canUndo;
    byId<HTMLButtonElement>("redo").disabled = !photo.mask.canRedo;
    byId("found").hidden = !(photo.found && photo.mask.edited);
    byId<HTMLButtonElement>("restore").disabled = busy;
    byId<HTMLButtonElement>("others").disabled = busy;
    byId("restore").textContent = photo.result ? "Restore again" : "Restore";
    // Offered where it can help: finding faces has failed on a square picture.
    const offered = photo.aligned || (photo.stage === "failed" && photo.width === photo.height);
    byId("aligned-row").hidden = !offered;
    byId<HTMLInputElement>("aligned").checked = photo.aligned;
    this.showCompare(photo, mode);
    this.showVariants(photo);
    const changed = photo.stale && mode === "mask" && !busy;
    this.say(changed ? "The mask has changed. Restore again to see it." : photo.words);
  }

  showCompare(photo: Photo, mode: Mode): void {
    const share = Math.round(100 * photo.compare);
    this.compare.value = String(share);
    this.compare.setAttribute("aria-valuetext", `${share} % before, ${100 - share} % after`);
    const shown = mode === "result" && photo.result !== null;
    byId("tag-before").hidden = !shown || photo.compare < 0.12;
    byId("tag-after").hidden = !shown || photo.compare > 0.88;
  }

  /** A sentence for everybody; screen readers speak it. */
  say(text: string): void {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  private showVariants(photo: Photo): void {
    const row = byId("variants");
    const { result } = photo;
    row.hidden = !result?.samples.length;
    if (!result || row.hidden) return;
    const pictures = [result.after, ...result.samples.map((sample) => sample.after)];
    if (pictures.some((picture, i) => picture !== this.shown[i])) {
      row.replaceChildren(...pictures.map((picture, i) => this.variant(photo, picture, i - 1)));
      this.shown = pictures;
    }
    [...row.children].forEach((child, i) => {
      child.setAttribute("aria-pressed", String(photo.variant === i - 1));
    });
  }

  private variant(photo: Photo, picture: ImageBitmap, index: number): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", index < 0 ? "The likeliest face" : `Another possible face, ${index + 1}`);
    button.append(preview(photo, picture, PREVIEW));
    button.addEventListener("click", () => this.choose(photo, index));
    return button;
  }
}
