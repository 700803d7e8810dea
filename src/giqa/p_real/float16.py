"""float16 to float32 and back, bit by bit: numpy converts one number at a time, five to ten times as slowly."""

from __future__ import annotations

import numpy as np

SIGN_AND_VALUE, SIGN = np.int32(-0x70000001), np.int32(0x8000)  # the exponent is three bits shorter
MOVED = np.float32(2.0**112)  # exponents of float16 begin at -15, not -127
LARGEST = float(np.finfo(np.float16).max)


def widened(half: np.ndarray, out: np.ndarray, bits: np.ndarray | None = None) -> np.ndarray:
    """Finite float16 as float32 in `out`, exactly; `bits` is int32 of the same shape, to work in.

    >>> widened(np.array([1.5, -2.0], np.float16), np.empty(2, np.float32)).tolist()
    [1.5, -2.0]
    """
    bits = np.empty(half.shape, np.int32) if bits is None else bits
    bits[...] = half.view(np.int16)  # the sign fills the upper half
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, SIGN_AND_VALUE, out=bits)
    return np.multiply(bits.view(np.float32), MOVED, out=out)


def halved(values: np.ndarray) -> np.ndarray:
    """Float32 within ±65504 as float16, to the nearest, of two as near the even one (below 6e-5 maybe the other).

    >>> halved(np.array([1.5, -2.0, 1e-9], np.float32)).tolist()
    [1.5, -2.0, 0.0]
    """
    values = np.ascontiguousarray(values, np.float32)
    bits = np.multiply(values, 1 / MOVED).view(np.int32)
    odd = np.right_shift(bits, 13)
    np.bitwise_and(odd, 1, out=odd)
    np.bitwise_and(bits, np.int32(0x7FFFFFFF), out=bits)
    np.add(bits, odd, out=bits)
    np.add(bits, np.int32(0xFFF), out=bits)  # half of the last place that is kept, or a little less
    np.right_shift(bits, 13, out=bits)
    sign = np.right_shift(values.view(np.int32), 16)
    np.bitwise_and(sign, SIGN, out=sign)
    np.bitwise_or(bits, sign, out=bits)
    return bits.astype(np.uint16).view(np.float16)
