"""Walk down Rosenbrock's valley by gradient descent with momentum. Knows nothing of xpc; needs nothing but Python."""

import argparse
import random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--momentum", type=float, default=0.0)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

random.seed(args.seed)
x, y = random.uniform(-1, 1), random.uniform(-1, 1)
dx = dy = 0.0
for step in range(401):
    loss = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    if step % 100 == 0:
        print(f"step {step} loss={loss:.4f}", flush=True)
    gx = -2 * (1 - x) - 400 * x * (y - x * x)
    gy = 200 * (y - x * x)
    dx = args.momentum * dx - args.lr * gx
    dy = args.momentum * dy - args.lr * gy
    x, y = x + dx, y + dy
