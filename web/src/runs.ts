/** A mask in few bytes: how opaque it is, and over how many pixels in a row. */

/** Each run is its value and its length, seven bits at a time, the lowest first; what follows the last is 0. */
export function pack(opacity: Uint8Array): Uint8Array {
  const made: number[] = [];
  for (let from = 0; from < opacity.length; ) {
    const value = opacity[from];
    let to = from + 1;
    while (to < opacity.length && opacity[to] === value) to++;
    if (value === 0 && to === opacity.length) break;
    made.push(value);
    let length = to - from;
    for (; length > 127; length >>>= 7) made.push((length & 127) | 128);
    made.push(length);
    from = to;
  }
  return Uint8Array.from(made);
}

export function unpack(packed: Uint8Array, length: number): Uint8Array {
  const opacity = new Uint8Array(length);
  for (let at = 0, from = 0; at < packed.length; ) {
    const value = packed[at++];
    let run = 0;
    let more: number;
    let shift = 0;
    do {
      more = packed[at++];
      run |= (more & 127) << shift;
      shift += 7;
    } while (more > 127);
    opacity.fill(value, from, from + run);
    from += run;
  }
  return opacity;
}
