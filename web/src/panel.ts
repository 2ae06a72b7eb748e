/** The panel beside the stage, and the labels over it: what they say of the photo that is shown. */

import { showShare } from "./compare";
import { byId, enable } from "./dom";
import type { Photo } from "./photo";

export type Mode = "mask" | "result";

export class Panel {
  private readonly status = byId("status");
  private readonly stage = byId("stage");
  /** What is taken where nobody asks for another. */
  usualDetail = 1;
  private shown: HTMLCanvasElement[] = [];

  constructor(private readonly choose: (photo: Photo, variant: number) => void) {}

  show(photo: Photo | null, mode: Mode): void {
    if (!photo) return;
    byId("busy").hidden = !photo.busy;
    this.stage.setAttribute("aria-busy", String(photo.busy));
    this.stage.dataset.mode = mode;
    this.stage.classList.toggle("paintable", mode === "mask" && photo.paintable);
    this.stage.setAttribute("aria-label", `${mode === "mask" ? "Mask of" : "Result of"} ${photo.name}`);
    enable("tab-result", photo.result !== null);
    for (const name of ["mask", "result"]) {
      const tab = byId(`tab-${name}`);
      tab.setAttribute("aria-selected", String(name === mode));
      tab.tabIndex = name === mode ? 0 : -1;
      byId(`pane-${name}`).hidden = name !== mode;
    }
    enable("undo", photo.paintable && photo.mask.canUndo);
    enable("redo", photo.paintable && photo.mask.canRedo);
    enable("clear", photo.paintable);
    byId("found").hidden = !(photo.paintable && photo.mask.edited);
    enable("restore", !photo.busy);
    enable("others", !photo.busy);
    enable("download", !photo.preparing);
    const again = photo.stage === "failed" && !photo.found;
    byId("restore").textContent = again ? "Try again" : photo.result ? "Restore again" : "Restore";
    byId("aligned-row").hidden = !photo.mayBeAligned;
    byId<HTMLInputElement>("aligned").checked = photo.aligned;
    this.showDetail(photo);
    this.showCompare(photo, mode);
    this.showVariants(photo);
    this.say(this.words(photo, mode));
  }

  private words(photo: Photo, mode: Mode): string {
    if (photo.preparing) return "Preparing the file…";
    if (!photo.stale || photo.busy) return photo.words;
    return mode === "mask"
      ? "The mask has changed. Restore again to see it."
      : "This is how it was before the mask changed. Restore again to see it as it is now.";
  }

  showCompare(photo: Photo, mode: Mode): void {
    showShare("compare", photo.compare);
    const shown = mode === "result" && photo.result !== null;
    byId("tag-before").hidden = !shown || photo.compare < 0.12;
    byId("tag-after").hidden = !shown || photo.compare > 0.88;
  }

  private showDetail(photo: Photo): void {
    const value = String(Math.round(100 * (photo.detail ?? this.usualDetail)));
    byId<HTMLInputElement>("detail").value = value;
    byId("detail-out").textContent = `${value} %`;
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
    const pictures = [result, ...result.samples].map(({ preview }) => preview);
    if (pictures.some((picture, i) => picture !== this.shown[i])) {
      row.replaceChildren(...pictures.map((picture, i) => this.variant(photo, picture, i - 1)));
      this.shown = pictures;
    }
    [...row.children].forEach((child, i) => {
      child.setAttribute("aria-pressed", String(photo.variant === i - 1));
    });
  }

  private variant(photo: Photo, picture: HTMLCanvasElement, index: number): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", index < 0 ? "The likeliest face" : `Another possible face, ${index + 1}`);
    button.append(picture);
    button.addEventListener("click", () => this.choose(photo, index));
    return button;
  }
}
