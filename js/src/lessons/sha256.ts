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

/** A word turned to the right by each of some bits, all of them added without carrying. */
const turned = (word: number, ...by: number[]) =>
  by.reduce((all, bits) => all ^ ((word >>> bits) | (word << (32 - bits))), 0);

export function sha256(message: Uint8Array): Uint8Array {
  // 5.1.1: a one, zeros, and the length in bits
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const words = new DataView(padded.buffer);
  words.setUint32(padded.length - 4, 8 * message.length);
  const hash = Int32Array.from(START);
  const w: number[] = [];
  for (let start = 0; start < padded.length; start += 64) {
    // 6.2.2: the schedule, and sixty-four rounds
    let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const [near, far] = [w[t - 2]!, w[t - 15]!];
      w[t] =
        t < 16
          ? words.getInt32(start + 4 * t)
          : ((turned(near, 17, 19) ^ (near >>> 10)) + w[t - 7]! + (turned(far, 7, 18) ^ (far >>> 3)) + w[t - 16]!) | 0;
      const t1 = (h + turned(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + ROUNDS[t]! + w[t]!) | 0;
      const t2 = turned(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      hash[i]! += word;
    });
  }
  const digest = new DataView(new ArrayBuffer(32));
  hash.forEach((word, i) => {
    digest.setInt32(4 * i, word);
  });
  return new Uint8Array(digest.buffer);
}
