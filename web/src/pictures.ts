/** The decoded pictures of the photo that is shown: 4 bytes a pixel each. All other photos are files only. */

import { upright } from "./device/upright";
import { drawOpacity, opacityOf } from "./mask";
import type { Photo } from "./photo";

/** One picture: decoded when it is asked for, freed when it no longer is. */
class Slot {
  picture: ImageBitmap | null = null;
  private file: Blob | null = null;

  constructor(
    private readonly decode: (file: Blob) => Promise<ImageBitmap>,
    private readonly inTurn: (work: () => Promise<void>) => void,
  ) {}

  /** Another file, whose picture takes the place of this one once it is decoded; null: none. */
  take(file: Blob | null): void {
    if (file === this.file) return;
    this.file = file;
    if (!file) this.put(null);
    else this.inTurn(() => this.fill(file));
  }

  private async fill(file: Blob): Promise<void> {
    if (file !== this.file) return;
    // Without memory for it there still is its small view.
    const picture = await this.decode(file).catch(() => null);
    if (file === this.file) this.put(picture);
    else picture?.close();
  }

  private put(picture: ImageBitmap | null): void {
    this.picture?.close();
    this.picture = picture;
  }
}

export class Pictures {
  /** Settles when nothing is being decoded. */
  settled: Promise<void> = Promise.resolve();
  private photo: Photo | null = null;
  private readonly photoSlot = this.slot(upright);
  private readonly resultSlot = this.slot((file) => createImageBitmap(file));
  private readonly inventedSlot = this.slot(transparent);

  /** @param changed is called when a picture has been decoded. */
  constructor(private readonly changed: () => void) {}

  get before(): CanvasImageSource | null {
    return this.photoSlot.picture ?? this.photo?.picture ?? null;
  }

  get after(): CanvasImageSource | null {
    return this.resultSlot.picture ?? this.photo?.shown?.small ?? null;
  }

  /** Opaque where invented; null also as long as it is not decoded. */
  get invented(): CanvasImageSource | null {
    return this.inventedSlot.picture;
  }

  /** Holds what is shown of a photo, and frees what was shown of another. */
  show(photo: Photo | null, withInvented: boolean): void {
    if (photo !== this.photo) {
      this.photo?.mask.sleep();
      for (const slot of [this.photoSlot, this.resultSlot, this.inventedSlot]) slot.take(null);
      this.photo = photo;
      photo?.mask.wake();
    }
    this.photoSlot.take(photo?.file ?? null);
    this.resultSlot.take(photo?.shown?.file ?? null);
    this.inventedSlot.take(withInvented ? (photo?.result?.invented ?? null) : null);
  }

  /** Pictures are decoded one after the other: who hurries through the strip does not fill the memory. */
  private slot(decode: (file: Blob) => Promise<ImageBitmap>): Slot {
    return new Slot(decode, (work) => {
      this.settled = this.settled.then(work).then(() => this.changed());
    });
  }
}

/** A mask's file as a picture that is opaque where it is white. */
async function transparent(file: Blob): Promise<ImageBitmap> {
  const { width, height, data } = await opacityOf(file);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  drawOpacity(context, { x: 0, y: 0, width, height }, data);
  return canvas.transferToImageBitmap();
}
