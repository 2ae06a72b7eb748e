/** The library's `noise.normal`: the same numbers for the same seed. */

const WORD = 2 ** 32;

/** `count` independent numbers of mean 0 and deviation 1. */
export function normal(seed: number, count: number): Float32Array {
  const key = keyOf(seed);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const first = (hash(hash(2 * i) ^ key) + 0.5) / WORD;
    const second = hash(hash(2 * i + 1) ^ key) / WORD;
    numbers[i] = Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  }
  return numbers;
}

function hash(word: number): number {
  let bits = word ^ (word >>> 16);
  bits = Math.imul(bits, 0x7feb352d);
  bits ^= bits >>> 15;
  bits = Math.imul(bits, 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function keyOf(seed: number): number {
  let key = 0x9e3779b9;
  let rest = Math.abs(seed) * 2 + (seed < 0 ? 1 : 0);
  do {
    key = hash(key ^ (rest % WORD));
    rest = Math.floor(rest / WORD);
  } while (rest);
  return key;
}
