/** The strip of photos: small pictures, what each is doing, and a way to take one off. */

import { byId, makeCanvas } from "./dom";
import type { Photo, Stage } from "./photo";

const WORDS: Record<Stage, string> = {
  new: "waiting",
  looking: "looking for faces",
  found: "ready to restore",
  restoring: "restoring",
  restored: "restored",
  failed: "not done",
};
const SIDE = 112;

export class Strip {
  private readonly list = byId("strip");
  private readonly items = new Map<number, HTMLLIElement>();

  constructor(
    private readonly select: (photo: Photo) => void,
    private readonly remove: (photo: Photo) => void,
  ) {}

  add(photo: Photo): void {
    const item = document.createElement("li");
    const choose = document.createElement("button");
    choose.type = "button";
    choose.className = "thumb";
    choose.append(thumbnail(photo.before));
    choose.addEventListener("click", () => this.select(photo));
    const close = document.createElement("button");
    close.type = "button";
    close.className = "thumb-close";
    close.setAttribute("aria-label", `Take ${photo.name} off`);
    close.innerHTML = '<svg aria-hidden="true"><use href="#i-close"/></svg>';
    close.addEventListener("click", () => this.remove(photo));
    item.append(choose, close);
    this.list.append(item);
    this.items.set(photo.id, item);
  }

  drop(photo: Photo): void {
    this.items.get(photo.id)?.remove();
    this.items.delete(photo.id);
  }

  update(photo: Photo, current: boolean): void {
    const item = this.items.get(photo.id);
    const choose = item?.querySelector<HTMLButtonElement>(".thumb");
    if (!item || !choose) return;
    item.dataset.stage = photo.stage;
    choose.setAttribute("aria-label", `${photo.name}: ${WORDS[photo.stage]}`);
    choose.title = `${photo.name}: ${WORDS[photo.stage]}`;
    if (current) choose.setAttribute("aria-current", "true");
    else choose.removeAttribute("aria-current");
  }
}

function thumbnail(photo: ImageBitmap): HTMLCanvasElement {
  const [canvas, context] = makeCanvas(SIDE, SIDE);
  const scale = SIDE / Math.min(photo.width, photo.height);
  const width = photo.width * scale;
  const height = photo.height * scale;
  context.imageSmoothingQuality = "high";
  // Faces are seldom at the very bottom of a tall photo.
  context.drawImage(photo, (SIDE - width) / 2, (SIDE - height) / 4, width, height);
  return canvas;
}
