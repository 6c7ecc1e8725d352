"""Measure pairs of images as the paper authors' script does, in our own words: whole arrays, float64, one core.

python tests/benchmarks/peer.py DIR lfd [psnr ssim mse] compares DIR/real with DIR/fake, paired by sorted name.
"""

import argparse
import os

import cv2
import lpips  # noqa: F401  the authors' script imports these three whatever it measures
import numpy as np
import torch  # noqa: F401
import torchvision.transforms  # noqa: F401

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def mse(real, fake):
    """Return the mean squared error of two float64 images, shape (H, W, 3)."""
    return np.mean((real - fake) ** 2)


def psnr(real, fake):
    """Return the PSNR in decibel."""
    error = mse(real, fake)
    return float("inf") if error == 0 else 20 * np.log10(255 / np.sqrt(error))


def lfd(real, fake):
    """Return the log frequency distance, by two complex transforms of all channels."""
    real_spectrum = np.fft.fft2(real.transpose(2, 0, 1))
    fake_spectrum = np.fft.fft2(fake.transpose(2, 0, 1))
    re = real_spectrum.real - fake_spectrum.real
    im = real_spectrum.imag - fake_spectrum.imag
    return np.log(np.mean(re**2 + im**2) + 1)


def ssim(real, fake):
    """Return the SSIM, the mean of that of the channels."""
    return np.mean([_channel_ssim(real[..., c], fake[..., c]) for c in range(real.shape[-1])])


def _channel_ssim(real, fake):
    mean_r, mean_f = _window(real), _window(fake)
    variance_r = _window(real**2) - mean_r**2
    variance_f = _window(fake**2) - mean_f**2
    covariance = _window(real * fake) - mean_r * mean_f
    luminance = (2 * mean_r * mean_f + C1) / (mean_r**2 + mean_f**2 + C1)
    return np.mean(luminance * (2 * covariance + C2) / (variance_r + variance_f + C2))


def _window(plane):
    weights = cv2.getGaussianKernel(11, 1.5)
    return cv2.filter2D(plane, -1, weights @ weights.T)[5:-5, 5:-5]


METRICS = {"psnr": psnr, "ssim": ssim, "lfd": lfd, "mse": mse}


def read(folder, name):
    """Read an image as float64 values 0..255, shape (H, W, 3), blue first."""
    return cv2.imread(os.path.join(folder, name)).astype(np.float64)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("metrics", nargs="+", choices=METRICS)
    options = parser.parse_args()

    real, fake = os.path.join(options.folder, "real"), os.path.join(options.folder, "fake")
    values = {metric: [] for metric in options.metrics}
    for real_name, fake_name in zip(sorted(os.listdir(real)), sorted(os.listdir(fake)), strict=True):
        pair = read(real, real_name), read(fake, fake_name)
        for metric in options.metrics:
            values[metric].append(METRICS[metric](*pair))
    for metric in options.metrics:
        print(f"{metric} {np.mean(values[metric]):.10f}")


if __name__ == "__main__":
    main()
