/** Decodes pictures upright, as the library does: browsers do it too, but not for WebP. */

const ORIENTATION = 0x0112;
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
  const [stored, orientation] = await ofWebp(file);
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

/** The file of a WebP without its EXIF, so that no browser turns it too, and the orientation in it; any other
 * file as it is. */
async function ofWebp(file: Blob): Promise<[Blob, number]> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  if (nameAt(head, 0) !== "RIFF" || nameAt(head, 8) !== "WEBP") return [file, 1];
  const parts = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(parts.buffer);
  for (let i = 12; i + 8 < parts.length; ) {
    const length = view.getUint32(i + 4, true);
    if (nameAt(parts, i) === "EXIF") {
      const orientation = orientationOf(parts.subarray(i + 8, i + 8 + length));
      parts.set([0x78], i); // "xXIF", which nobody knows
      return [new Blob([parts], { type: file.type }), orientation];
    }
    i += 8 + length + (length % 2);
  }
  return [file, 1];
}

/** What EXIF says; 1, upright, where it is damaged. */
function orientationOf(exif: Uint8Array): number {
  // Some writers put before it what JPEG has there.
  const tiff = nameAt(exif, 0) === "Exif" ? exif.subarray(6) : exif;
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
  return 1;
}

function nameAt(parts: Uint8Array, at: number): string {
  return String.fromCharCode(...parts.subarray(at, at + 4));
}
