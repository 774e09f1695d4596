// Writes numbers as `render/frame.py` does, but for the minus sign, so that pages and windows tell the same.
"use strict";

// Rounded to so many digits; what lies exactly between two goes to the even one, where `toFixed` takes the larger.
function rounded(size, digits) {
  const parts = size * 10 ** digits;
  const between = Number.isInteger(size * 8) && parts % 1 === 0.5; // two digits lie between at odd eighths only
  return between ? (2 * Math.round(parts / 2)) / 10 ** digits : Number(size.toFixed(digits));
}

// A number with its sign: +12.30, −0.05, 0.00; from 1000 on without digits after the point.
function signed(value) {
  const size = rounded(Math.abs(value), 2);
  if (size === 0) return "0.00";
  const digits = size < 1000 ? size.toFixed(2) : rounded(size, 0).toFixed(0);
  return (value > 0 ? "+" : "\u2212") + digits;
}
