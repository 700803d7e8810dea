"""Pictures that several tests of the images make."""

import numpy as np


def photograph(seed, height=128, width=128):
    """Colour noise with the 1/f spectrum of photographs; no black, no white."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    f[0, 0] = 1
    field = [np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / f).real for _ in range(3)]
    luma = field[0] / field[0].std()
    rgb = np.stack([luma + 0.2 * f / f.std() for f in (field[1], field[2], -field[1])], axis=2)
    return np.clip(128 + 30 * rgb, 2, 253).astype(np.uint8)
