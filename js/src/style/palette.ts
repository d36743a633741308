// Colors, from the stylesheet to the canvas: ramps that are even to the eye, and ink that can be read on them.

/** Red, green and blue of 0 to 1; and opacity, where it was read. */
type RGB = readonly number[];

export const STEPS = 256;

/** How many pin colors there are before they begin again. */
export const PIN_COLORS = 6;

/** A scale's colors, and for each the ink of the text on it. */
export interface Ramp {
  fill: string[];
  ink: string[];
}

/** The scales that there are colors for. */
export type RampName = "sequential" | "diverging" | "patched" | "moved";

/** Every color that the canvas needs. */
export interface Palette {
  background: string;
  ink: string;
  muted: string;
  faint: string;
  /** Fill of what is left out of the scale. */
  excluded: string;
  /** Lines through cells that hold no number. */
  hatch: string;
  sequential: Ramp;
  diverging: Ramp;
  /** The source of a sweep, in words. */
  source: string;
  /** From what leads away from the source of a sweep, through the base, to the source. */
  patched: Ramp;
  /** How far an edit moved a state. */
  moved: Ramp;
  pins: string[];
}

/** The stylesheet's colors, as they are where `root` stands. */
export function paletteOf(root: Element): Palette {
  const style = getComputedStyle(root);
  const read = reader();
  const get = (name: string) => read(style.getPropertyValue(`--lw-${name}`));
  const series = (name: string, count: number) => Array.from({ length: count }, (_, i) => get(`${name}-${i + 1}`));
  const background = get("background");
  const ink = get("ink");
  const amount = [background, ...series("blue", 4)];
  const opposite = [background, ...series("orange", 4)];
  return {
    background: css(background),
    ink: css(ink),
    muted: css(get("muted")),
    faint: css(get("faint")),
    excluded: css(get("excluded")),
    hatch: css(get("hatch")),
    sequential: ramp(amount, ink, (t) => t),
    diverging: ramp([...opposite.reverse(), ...amount.slice(1)], ink, (t) => Math.abs(2 * t - 1)),
    source: css(get("source-4")),
    moved: ramp([background, ...series("source", 4)], ink, (t) => t),
    patched: ramp([...[background, ...series("base", 4)].reverse(), ...series("source", 4)], ink, (t) =>
      Math.abs(2 * t - 1),
    ),
    pins: series("pin", PIN_COLORS).map(css),
  };
}

/** Reads any color that CSS can write by painting it: hosts write theirs as names, rgb(), hsl() or oklch(). With its opacity. */
export function reader(): (color: string) => RGB {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("There is no canvas to draw on here. In Python, grid.to_svg(path) makes a picture.");
  return (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color.trim();
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((channel) => channel / 255);
  };
}

function ramp(stops: RGB[], ink: RGB, strength: (t: number) => number): Ramp {
  const fill = Array.from({ length: STEPS }, (_, i) => along(stops, i / (STEPS - 1)));
  return { fill: fill.map(css), ink: fill.map((color, i) => css(inkOn(color, ink, strength(i / (STEPS - 1))))) };
}

function along(stops: RGB[], t: number): RGB {
  const place = t * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  return mix(stops[below]!, stops[below + 1]!, place - below);
}

const READABLE = 4.5;

/**
 * Ink for text on a color. Faint cells get faint text, as faint as can still be read; from a quarter of the scale
 * on, the text is as strong as the page's own.
 */
function inkOn(color: RGB, ink: RGB, strength: number): RGB {
  const under = rounded(color);
  const strong = [ink, BLACK, WHITE].find((candidate) => contrast(candidate, under) >= READABLE) ?? ink;
  let [faint, full] = [0, 1];
  for (let i = 0; i < 6; i++) {
    const half = (faint + full) / 2;
    if (contrast(rounded(mix(color, strong, half)), under) >= READABLE) full = half;
    else faint = half;
  }
  return mix(color, strong, Math.min(1, full + (1 - full) * strength * 4));
}

const BLACK: RGB = [0, 0, 0];
const WHITE: RGB = [1, 1, 1];

/** The contrast of two colors as WCAG counts it, 1 to 21. */
export function contrast(a: RGB, b: RGB): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: RGB): number {
  const [r, g, b] = color.map(linear);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/**
 * Between two colors in OKLab, where equal steps look equal. Its coordinates are sums of the cube roots of what the eye's cones
 * take up, so to mix these roots is the same, and needs no such sums.
 */
function mix(a: RGB, b: RGB, t: number): RGB {
  const [from, to] = [a, b].map((color) => times(TO_CONES, color.map(linear)).map(Math.cbrt)) as [number[], number[]];
  return times(
    FROM_CONES,
    from.map((value, i) => (value + (to[i]! - value) * t) ** 3),
  ).map(gamma);
}

/** Linear red, green and blue to what the long, middle and short cones take up (B. Ottosson, 2020), and back. */
const TO_CONES = [0.41222, 0.53633, 0.05145, 0.2119, 0.6807, 0.1074, 0.0883, 0.28172, 0.62998];
const FROM_CONES = [4.07674, -3.30771, 0.23097, -1.26844, 2.60976, -0.34132, -0.0042, -0.70342, 1.70761];

function times(matrix: number[], [x, y, z]: number[]): number[] {
  return [0, 3, 6].map((row) => matrix[row]! * x! + matrix[row + 1]! * y! + matrix[row + 2]! * z!);
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function gamma(channel: number): number {
  const value = channel <= 0.0031308 ? 12.92 * channel : 1.055 * channel ** (1 / 2.4) - 0.055;
  return Math.min(1, Math.max(0, value));
}

/** As it will be painted: the last digit can cost the contrast. */
function rounded(color: RGB): RGB {
  return color.map((channel) => Math.round(channel * 255) / 255);
}

export function css([r, g, b]: RGB): string {
  return `rgb(${[r, g, b].map((channel) => Math.round(channel! * 255)).join(" ")})`;
}
