"""Train the digits model and save it: `python examples/digits/train.py digits.keras`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import data  # noqa: E402
import model  # noqa: E402

from edgekit.compress.finetune import evaluate, finetune  # noqa: E402
from edgekit.compress.save import keras_bytes  # noqa: E402
from edgekit.data import make  # noqa: E402
from edgekit.importers.keras import import_keras  # noqa: E402

SEED, EPOCHS, RATE = 0, 15, 3e-3


def train(epochs: int = EPOCHS):
    """A trained float model; the same one for the same number of epochs on the same machine."""
    import_keras().utils.set_random_seed(SEED)
    images = make(*data.train(), source="digits")
    return finetune(model.build(), images, epochs, SEED, learning_rate=RATE, batch_size=32,
                    deterministic=True, what="training")[0]


def main(path: str) -> None:
    trained = train()
    Path(path).write_bytes(keras_bytes(trained))
    accuracy = evaluate(trained, make(*data.test(), source="digits test"))
    print(f"{path}: {accuracy:.1%} of the 359 test images are right")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "digits.keras")
