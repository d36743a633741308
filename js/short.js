// The language's own functions that are called often, under names that a minifier may shorten: a fiftieth of the script.
// `build.js` puts them in the place of the long ones.

export const {
  max: Math_max,
  min: Math_min,
  floor: Math_floor,
  round: Math_round,
  abs: Math_abs,
  ceil: Math_ceil,
  log10: Math_log10,
} = Math;
export const {
  isFinite: Number_isFinite,
  isNaN: Number_isNaN,
  isInteger: Number_isInteger,
  NaN: Number_NaN,
  POSITIVE_INFINITY: Number_POSITIVE_INFINITY,
  NEGATIVE_INFINITY: Number_NEGATIVE_INFINITY,
} = Number;
export const { from: Array_from, isArray: Array_isArray } = Array;
export const { parse: JSON_parse, stringify: JSON_stringify } = JSON;
