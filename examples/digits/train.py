"""Learn to read handwritten digits: 1,797 real ones, 8 by 8 pixels, that scikit-learn ships. Knows nothing of xpc."""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")


def make_model(name: str, width: int, lr: float, seed: int):
    if name == "linear":
        return SGDClassifier(loss="log_loss", learning_rate="constant", eta0=lr, random_state=seed)
    return MLPClassifier((width,), solver="sgd", learning_rate_init=lr, momentum=0.9, batch_size=32, random_state=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["linear", "mlp"], default="linear")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--test-share", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, default="model.npz")
    args = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    images /= 16.0
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=args.test_share, random_state=args.seed, stratify=labels
    )
    model = make_model(args.model, args.width, args.lr, args.seed)
    order = np.random.default_rng(args.seed)
    for epoch in range(1, args.epochs + 1):
        shuffled = order.permutation(len(train_x))
        model.partial_fit(train_x[shuffled], train_y[shuffled], classes=range(10))
        print(f"epoch {epoch} accuracy={model.score(test_x, test_y):.4f}", flush=True)
    weights = model.coefs_ if args.model == "mlp" else [model.coef_]
    np.savez(args.save, *weights)


if __name__ == "__main__":
    main()
