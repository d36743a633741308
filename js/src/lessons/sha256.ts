// SHA-256, as FIPS 180-4 has it, section by section: `crypto.subtle` isn't there in a page that came over plain http, and the
// libraries bring four times as much.

/** The first 32 bits of the fractional parts of a root of the first primes. */
function fractions(count: number, root: number): Int32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  return Int32Array.from(primes, (prime) => (prime ** (1 / root) % 1) * 2 ** 32);
}

const START = fractions(8, 2);
const ROUNDS = fractions(64, 3);
const turned = (word: number, by: number) => (word >>> by) | (word << (32 - by));

export function sha256(message: Uint8Array): Uint8Array {
  // 5.1.1: a one, zeros, and the length in bits
  const blocks = (message.length + 9 + 63) >> 6;
  const padded = new DataView(new ArrayBuffer(64 * blocks));
  for (const [i, byte] of message.entries()) padded.setUint8(i, byte);
  padded.setUint8(message.length, 0x80);
  padded.setUint32(64 * blocks - 4, 8 * message.length);
  padded.setUint32(64 * blocks - 8, message.length / 2 ** 29);
  const hash = Int32Array.from(START);
  const w = new Int32Array(64);
  for (let start = 0; start < 64 * blocks; start += 64) {
    // 6.2.2: the schedule, then sixty-four rounds
    for (let t = 0; t < 16; t++) w[t] = padded.getInt32(start + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [near, far] = [w[t - 2]!, w[t - 15]!];
      const s1 = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
      const s0 = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
      w[t] = s1 + w[t - 7]! + s0 + w[t - 16]!;
    }
    let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const S1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const t1 = (h + S1 + ((e & f) ^ (~e & g)) + ROUNDS[t]! + w[t]!) | 0;
      const S0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) hash[i]! += word;
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [i, word] of hash.entries()) digest.setInt32(4 * i, word);
  return new Uint8Array(digest.buffer);
}
