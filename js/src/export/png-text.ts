// A text within a PNG, which says where the picture came from; lenswidget/view/picture/png.py writes the same.

const SIGNATURE_AND_HEADER = 33;

/** The picture with a text of ASCII letters under a keyword, right after its header. */
export async function withText(png: Blob, keyword: string, text: string): Promise<Blob> {
  const bytes = new TextEncoder().encode(`tEXt${keyword}\0${text}`);
  const chunk = new DataView(new ArrayBuffer(bytes.length + 8));
  chunk.setUint32(0, bytes.length - 4);
  new Uint8Array(chunk.buffer).set(bytes, 4);
  chunk.setUint32(bytes.length + 4, crc32(bytes));
  return new Blob([png.slice(0, SIGNATURE_AND_HEADER), chunk, png.slice(SIGNATURE_AND_HEADER)], { type: png.type });
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  return ~crc >>> 0;
}
