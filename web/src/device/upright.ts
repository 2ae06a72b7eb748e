/** Decodes pictures upright, as the library does: browsers do it too, but not for WebP, nor by XMP. */

import { type FilePart, partsOf, textOf } from "./parts";

const ORIENTATION = 0x0112;
/** Where XMP lies in a PNG and a JPEG, and what of it turns a picture. */
const XMP = { iTXt: "XML:com.adobe.xmp\0\0", e1: "http://ns.adobe.com/xap/1.0/\0" };
const XMP_ORIENTATION = /tiff:Orientation(?:="|>)([0-9])/;
/** From the stored pixels to the upright ones, by what EXIF calls them; of 1 wide and 1 high. */
const TURNS: Record<number, [number, number, number, number, number, number]> = {
  2: [-1, 0, 0, 1, 1, 0],
  3: [-1, 0, 0, -1, 1, 1],
  4: [1, 0, 0, -1, 0, 1],
  5: [0, 1, 1, 0, 0, 0],
  6: [0, 1, -1, 0, 1, 0],
  7: [0, -1, -1, 0, 1, 1],
  8: [0, -1, 1, 0, 0, 1],
};

/** @throws what `createImageBitmap` throws. */
export async function upright(file: Blob, options: ImageBitmapOptions = {}): Promise<ImageBitmap> {
  const [stored, orientation] = await ours(file);
  const bitmap = await createImageBitmap(stored, { imageOrientation: "from-image", ...options });
  const turn = TURNS[orientation];
  if (!turn) return bitmap;
  const aside = orientation > 4;
  const [width, height] = aside ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  context.imageSmoothingEnabled = false;
  const [a, b, c, d, x, y] = turn;
  context.setTransform(a, b, c, d, x * width, y * height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/** A file, and the orientation that the browser leaves to us; without the EXIF of a WebP, so that no browser
 * turns it too. XMP counts where EXIF says nothing. */
async function ours(file: Blob): Promise<[Blob, number]> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  if (!partsOf(head)) return [file, 1];
  const whole = new Uint8Array(await file.arrayBuffer());
  let exif: Uint8Array | null = null;
  let xmp: string | null = null;
  let webp = false;
  try {
    for (const part of partsOf(whole) ?? []) {
      const [name, data] = part;
      const marked = name === "e1" && textOf(data.subarray(0, 5)) === "Exif\0";
      if (marked || name === "eXIf" || name === "EXIF") exif ??= data;
      webp ||= name === "EXIF";
      xmp ??= xmpOf(part);
    }
  } catch {
    // A damaged file: what was read so far counts.
  }
  const said = exif && orientationOf(exif);
  if (exif && webp) whole.set([0x78], exif.byteOffset - 8); // "xXIF", which nobody knows
  const stored = webp ? new Blob([whole], { type: file.type }) : file;
  if (said !== null) return [stored, webp ? said : 1];
  return [stored, Number(XMP_ORIENTATION.exec(xmp ?? "")?.[1] ?? 1)];
}

function xmpOf([name, data]: FilePart): string | null {
  if (name === "XMP ") return textOf(data);
  const mark = name === "iTXt" || name === "e1" ? XMP[name] : null;
  return mark && textOf(data.subarray(0, mark.length)) === mark ? textOf(data) : null;
}

/** What EXIF says; 1, upright, where it is damaged; null: nothing. */
function orientationOf(exif: Uint8Array): number | null {
  // Some writers put before it what JPEG has there.
  const tiff = textOf(exif.subarray(0, 4)) === "Exif" ? exif.subarray(6) : exif;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const little = view.getUint16(0) === 0x4949;
    const first = view.getUint32(4, little);
    const entries = view.getUint16(first, little);
    for (let i = first + 2; i < first + 2 + 12 * entries; i += 12) {
      if (view.getUint16(i, little) === ORIENTATION) return view.getUint16(i + 8, little);
    }
  } catch {
    return 1;
  }
  return null;
}
