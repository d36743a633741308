// A canvas that writes down what is painted on it, as SVG, whose words stay text: a picture is what the screen shows.

import { measuring } from "../pieces/font.js";
import { FONT, text } from "../pieces/svg.js";
import type { Surface } from "./brush.js";

export class Pen implements Surface {
  font = "";
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 1;
  globalAlpha = 1;
  textAlign: CanvasTextAlign = "start";
  textBaseline: CanvasTextBaseline = "middle";
  /** What was written so far. */
  svg = "";
  #path = "";
  #dash = "";
  /** How many groups were opened since each `save`. */
  readonly #groups: number[] = [];
  readonly #measuring = measuring("");

  save(): void {
    this.#groups.push(0);
  }

  restore(): void {
    this.svg += "</g>".repeat(this.#groups.pop()!);
  }

  translate(x: number, y: number): void {
    this.svg += `<g transform="translate(${x} ${y})">`;
    this.#groups[this.#groups.length - 1]!++;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.#path = `M${x} ${y}h${width}v${height}h${-width}z`;
    this.fill();
  }

  fillText(words: string, x: number, y: number): void {
    const anchor = { center: "middle", right: "end" }[this.textAlign as string];
    const style = this.font.startsWith("italic") ? `font-style="italic"` : "";
    this.svg += text(x, y + FONT * 0.35, words, this.fillStyle, anchor, style);
  }

  measureText(words: string): TextMetrics {
    this.#measuring.font = this.font;
    return this.#measuring.measureText(words);
  }

  beginPath(): void {
    this.#path = "";
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${x} ${y}`;
  }

  lineTo(x: number, y: number): void {
    this.#path += `L${x} ${y}`;
  }

  /** All the way round. */
  arc(x: number, y: number, radius: number): void {
    const half = `a${radius} ${radius} 0 1 0 `;
    this.#path += `M${x - radius} ${y}${half}${2 * radius} 0${half}${-2 * radius} 0`;
  }

  /** Its corners are round by how lines are joined. */
  roundRect(x: number, y: number, width: number, height: number): void {
    this.#path += `M${x} ${y}h${width}v${height}h${-width}z`;
  }

  setLineDash(dash: number[]): void {
    this.#dash = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "";
  }

  fill(): void {
    this.#write(this.fillStyle, "");
  }

  stroke(): void {
    const line = ` stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}" stroke-linejoin="round"`;
    this.#write("none", line + this.#dash);
  }

  #write(fill: string, line: string): void {
    const alpha = this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : "";
    this.svg += `<path d="${this.#path}" fill="${fill}"${line}${alpha}/>`;
  }
}
