// The language's own functions that are called often, under names that a minifier may shorten: a fiftieth of the script.
// `build.js` puts them in the place of the long ones.

export const {
  max: Math_max,
  min: Math_min,
  floor: Math_floor,
  round: Math_round,
  abs: Math_abs,
  ceil: Math_ceil,
} = Math;
export const { isFinite: Number_isFinite, isNaN: Number_isNaN, POSITIVE_INFINITY: Number_POSITIVE_INFINITY } = Number;
export const { from: Array_from } = Array;
