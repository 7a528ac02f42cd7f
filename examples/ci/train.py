"""Fit a line by gradient descent. Knows nothing of xpc; needs nothing but Python."""

import random
import sys

lr, steps, seed = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
points = [(x / 10, 3 * x / 10 + random.gauss(0, 0.1)) for x in range(10)]
slope = 0.0
for _ in range(steps):
    slope -= lr * sum(2 * x * (slope * x - y) for x, y in points) / len(points)
print(f"loss={sum((slope * x - y) ** 2 for x, y in points) / len(points):.6f}")
