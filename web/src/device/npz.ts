/** Reads what `numpy.savez` wrote: a zip of arrays that are not compressed. */

export interface NumpyArray {
  shape: number[];
  /** Whatever the type was, as numbers; 64-bit integers too. */
  data: Float32Array | Float64Array | Uint8Array;
}

const CENTRAL = 0x02014b50;
const END = 0x06054b50;

/** @throws Error when the file is not of this form. */
export function readNpz(file: ArrayBuffer): Map<string, NumpyArray> {
  const view = new DataView(file);
  let end = file.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) throw new Error("the prior is damaged");
  const arrays = new Map<string, NumpyArray>();
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 24, true)];
    if (view.getUint32(at, true) !== CENTRAL || method !== 0) throw new Error("the prior is damaged, or packed");
    const lengths = [28, 30, 32].map((k) => view.getUint16(at + k, true));
    const name = text(file, at + 46, lengths[0]).replace(/\.npy$/, "");
    const header = view.getUint32(at + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    arrays.set(name, readNpy(file.slice(start, start + size)));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return arrays;
}

function text(file: ArrayBuffer, start: number, length: number): string {
  return new TextDecoder("latin1").decode(new Uint8Array(file, start, length));
}

function readNpy(file: ArrayBuffer): NumpyArray {
  const view = new DataView(file);
  const wide = view.getUint8(6) > 1;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  const header = text(file, wide ? 12 : 10, length);
  const type = /'descr': *'([^']+)'/.exec(header)?.[1];
  const shape = [...(/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? "").matchAll(/\d+/g)].map(([n]) => Number(n));
  if (/'fortran_order': *True/.test(header)) throw new Error("the prior's arrays lie in another order");
  const data = file.slice(start);
  switch (type) {
    case "<f2":
      return { shape, data: fromHalves(new Uint16Array(data)) };
    case "<f4":
      return { shape, data: new Float32Array(data) };
    case "<f8":
      return { shape, data: new Float64Array(data) };
    case "<i8":
      return { shape, data: Float64Array.from(new BigInt64Array(data), Number) };
    case "|b1":
      return { shape, data: new Uint8Array(data) };
    default:
      throw new Error(`the prior holds numbers of another kind: ${type}`);
  }
}

/** float16 -> float32, through the table of all 65,536. */
function fromHalves(halves: Uint16Array): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return Float32Array.from(halves, (bits) => table[bits]);
}
