// What came of a picture so far: a message that is whole, and pieces that go on from it, each sent by itself.

import { type Message, piecesOf } from "../data/wire.js";

/** What a piece says of itself: which one it is, and how many bytes the message has that it goes on from. */
export interface Numbered {
  piece?: number;
  of?: number;
}

export class Received {
  #pieces: Message[] = [];
  /** Those that came before the message that they go on from: a host may hand them over in another order. */
  #early: [Numbered, Message][] = [];

  constructor(readonly show: (pieces: Message[]) => void) {}

  /** What a trait holds: news, unless it is what came in pieces. */
  whole(message: Message): void {
    const pieces = piecesOf(message);
    if (`${pieces.map(sizeOf)}` === `${this.#pieces.map(sizeOf)}`) return;
    this.#pieces = pieces;
    this.show(pieces);
    for (const [content, bytes] of this.#early.splice(0)) this.piece(content, bytes);
  }

  /** One piece more. False where one before it never came. */
  piece(content: Numbered | null, bytes: Message | undefined): boolean {
    const { piece: number, of } = content ?? {};
    if (!number || !bytes) return true; // nobody's we know
    if (of !== sizeOf(this.#pieces[0])) {
      this.#early.push([content!, bytes]);
      return true;
    }
    if (number === this.#pieces.length) {
      this.#pieces = [...this.#pieces, bytes];
      this.show(this.#pieces);
    }
    return number < this.#pieces.length;
  }
}

function sizeOf(message: Message | undefined): number | undefined {
  return message?.byteLength;
}
