"""Make the small int8 model and the test images of `edgekit demo --fast`; they are kept in git.

    python examples/mnist/make_fast.py
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import data  # noqa: E402
import model  # noqa: E402
import numpy as np  # noqa: E402
import train  # noqa: E402

from edgekit.compress.finetune import evaluate, finetune  # noqa: E402
from edgekit.compress.quantize import quantize  # noqa: E402
from edgekit.data import make  # noqa: E402
from edgekit.importers.keras import import_keras  # noqa: E402

WIDTH, EPOCHS, IMAGES = 12, 24, 200


def main() -> None:
    import_keras().utils.set_random_seed(train.SEED)
    digits = make(*data.train(), source="MNIST-5k")
    small, _ = finetune(model.build(WIDTH), digits, EPOCHS, train.SEED,
                        learning_rate=train.TRAIN_RATE, what="training")
    (FOLDER / "digits_int8.tflite").write_bytes(quantize(small, digits))
    x, y = data.test()
    # The file is sorted by digit: even distances take all of them.
    chosen = np.linspace(0, len(x) - 1, IMAGES).round().astype(int)
    np.savez_compressed(FOLDER / "digits_test.npz", x=(x[chosen] * 255).round().astype(np.uint8),
                        y=y[chosen].astype(np.int8))
    print(f"float accuracy {evaluate(small, make(x, y, source='test')):.2%}")


if __name__ == "__main__":
    main()
