/** The parts of a PNG, JPEG or WebP that have names: what it says beside its pixels, and those too. */

export type FilePart = [name: string, data: Uint8Array];

/** In their order, of a JPEG up to its pixels, named by their markers in hex; null: another form of file.
 *
 * @throws RangeError on the way, where the file is damaged.
 */
export function partsOf(file: Uint8Array): Generator<FilePart> | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (nameAt(file, 0) === "\x89PNG") return ofPng(file, view);
  if (file[0] === 0xff && file[1] === 0xd8) return ofJpeg(file, view);
  return nameAt(file, 0) === "RIFF" && nameAt(file, 8) === "WEBP" ? ofWebp(file, view) : null;
}

function* ofPng(file: Uint8Array, view: DataView): Generator<FilePart> {
  for (let i = 8; i + 8 < file.length; i += 12 + view.getUint32(i)) {
    yield [nameAt(file, i + 4), file.subarray(i + 8, i + 8 + view.getUint32(i))];
  }
}

function* ofJpeg(file: Uint8Array, view: DataView): Generator<FilePart> {
  for (let i = 2; i + 4 < file.length && file[i] === 0xff && file[i + 1] !== 0xda; ) {
    const length = view.getUint16(i + 2);
    yield [file[i + 1].toString(16), file.subarray(i + 4, i + 2 + length)];
    i += 2 + length;
  }
}

function* ofWebp(file: Uint8Array, view: DataView): Generator<FilePart> {
  for (let i = 12; i + 8 < file.length; ) {
    const length = view.getUint32(i + 4, true);
    yield [nameAt(file, i), file.subarray(i + 8, i + 8 + length)];
    i += 8 + length + (length % 2);
  }
}

function nameAt(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4));
}

/** What is ASCII, as text. */
export function textOf(data: Uint8Array): string {
  return new TextDecoder("latin1").decode(data);
}
