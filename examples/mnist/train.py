"""Train the MNIST-5k model and save it: `python examples/mnist/train.py mnist.keras`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import data  # noqa: E402
import model  # noqa: E402

from edgekit.compress.finetune import evaluate, finetune  # noqa: E402
from edgekit.data import make  # noqa: E402
from edgekit.importers.keras import import_keras  # noqa: E402

SEED = 0
TRAIN_EPOCHS, TRAIN_RATE = 12, 4e-3
TUNE_EPOCHS, TUNE_RATE = 8, 3e-3  # after pruning half of every layer


def train(epochs: int = TRAIN_EPOCHS):
    """A trained float model; the same one for the same number of epochs on the same machine."""
    import_keras().utils.set_random_seed(SEED)
    digits = make(*data.train(), source="MNIST-5k")
    return finetune(model.build(), digits, epochs, SEED, learning_rate=TRAIN_RATE,
                    what="training")[0]


def main(path: str) -> None:
    trained = train()
    trained.save(path)
    accuracy = evaluate(trained, make(*data.test(), source="MNIST-5k test"))
    print(f"{path}: {accuracy:.1%} of the 1,000 test images are right")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "mnist.keras")
