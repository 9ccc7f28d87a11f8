"""Fine-tuning and int8 quantization of tiny nets; the golden int8 outputs are TFLM's."""

import hashlib
import importlib.util

import numpy as np
import pytest
from conftest import require_module
from keras_nets import NETS, keras, predict, seeded, sequential, several_ends

from edgekit import log
from edgekit.compress.finetune import evaluate, finetune
from edgekit.compress.prune import prune
from edgekit.compress.quantize import quantize
from edgekit.data import make
from edgekit.errors import BadData, BadModel, EdgekitError, NotThere, UsageError


def stripes(count, seed):
    """Images 8x8 of noise with a brighter row band (0), column band (1) or neither (2)."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 1, (count, 8, 8, 1)).astype(np.float32)
    y = np.arange(count) % 3
    for image, kind in zip(x, y, strict=True):
        at = random.integers(0, 7)
        if kind == 0:
            image[at:at + 2] += 1
        elif kind == 1:
            image[:, at:at + 2] += 1
    return make(x, y, source="stripes")


def small_net():
    layers = keras().layers
    return keras().Sequential([
        keras().Input((8, 8, 1)), layers.Conv2D(12, 3, padding="same"),
        layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(),
        layers.Conv2D(12, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalMaxPooling2D(), layers.Dense(3, activation="softmax")])


@pytest.fixture(scope="module")
def trained():
    keras().utils.set_random_seed(0)
    return finetune(small_net(), stripes(384, 0), 10, 0, batch_size=32, learning_rate=0.01)[0]


def tflm(content, x):
    """(int8 outputs of TFLM, dequantized)."""
    require_module("tflite_micro")
    from tflite_micro import runtime
    interpreter = runtime.Interpreter.from_bytes(content)
    (scale, zero), (out_scale, out_zero) = [
        (details["quantization_parameters"]["scales"][0],
         details["quantization_parameters"]["zero_points"][0])
        for details in (interpreter.get_input_details(0), interpreter.get_output_details(0))]
    outputs = []
    for sample in x:
        quantized = np.clip(np.round(sample[None] / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_input(quantized, 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0])
    return (np.array(outputs).astype(np.float32) - out_zero) * out_scale


def operators(content):
    """(operator names, tensors) of a .tflite, as TensorFlow's own schema reads it."""
    from tensorflow.lite.python import schema_py_generated as schema
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()
             if isinstance(value, int)}
    graph = model.subgraphs[0]
    codes = [names[model.operatorCodes[op.opcodeIndex].builtinCode] for op in graph.operators]
    return codes, graph


def test_fine_tuning_brings_a_pruned_net_back(trained):
    test = stripes(192, 1)
    assert evaluate(trained, test) > 0.9
    smaller, report = prune(trained, rate=0.5)
    assert report.parameters_after < 0.4 * report.parameters_before
    tuned, history = finetune(smaller, stripes(384, 0), 8, 0, batch_size=32, learning_rate=0.01)
    assert {layer.momentum for layer in tuned.layers if hasattr(layer, "momentum")} == {0.9}
    assert history.epochs == 8 and history.loss[-1] < history.loss[0]
    assert evaluate(tuned, test) > max(0.85, evaluate(smaller, test) + 0.1)


def test_fine_tuning_leaves_its_model_alone_and_repeats_by_seed():
    model, data = line()
    before = [np.asarray(weight) for weight in model.weights]
    runs = [finetune(model, data, 1, seed, batch_size=4)[1].loss for seed in (3, 3, 4)]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.weights, strict=True))
    assert runs[0] == runs[1] != runs[2]


def test_fine_tuning_tells_its_progress_to_the_end(trained):
    events = []
    stop = log.listen(lambda event, details: events.append(details))
    finetune(trained, stripes(96, 0), 2, validation=stripes(32, 1), patience=1)
    stop()
    done = [event["done"] for event in events]
    assert done == sorted(done) and done[-1] == events[-1]["total"] == 4
    assert "accuracy" in events[-1]["detail"]


def line():
    """(a model with one weight and a bias, data y = 2x)."""
    x = np.linspace(-1, 1, 64)[:, None]
    return keras().Sequential([keras().Input((1,)), keras().layers.Dense(1)]), make(x, 2 * x)


def test_float_targets_train_by_squared_error():
    model, data = line()
    _, history = finetune(model, data, 12, learning_rate=0.3, batch_size=16)
    assert history.loss[-1] < 0.05 and history.accuracy is None


def test_early_stopping_ends_before_the_last_epoch():
    model, data = line()
    wrong = make(data.x, -5 * data.x)
    _, history = finetune(model, data, 12, learning_rate=0.1, patience=1, validation=wrong)
    assert history.epochs < 12


def test_training_that_diverges_is_an_error():
    model, data = line()
    with pytest.raises(EdgekitError, match="diverged") as caught:
        finetune(model, data, 2, learning_rate=1e30)
    assert "learning rate" in caught.value.hint


@pytest.mark.parametrize("options, message", [
    ({"epochs": 0}, "0 epochs"), ({"learning_rate": 0}, "learning rate"),
    ({"patience": 1}, "validation data"),
])
def test_wrong_training_options_are_refused(trained, options, message):
    with pytest.raises(UsageError) as caught:
        finetune(trained, stripes(64, 0), **{"epochs": 1, **options})
    assert message in caught.value.message and caught.value.hint


def test_training_without_labels_is_refused(trained):
    with pytest.raises(BadData, match="no labels"):
        finetune(trained, make(stripes(8, 0).x), 1)


def test_an_int8_model_is_as_accurate_on_tflm_as_the_float_one(trained):
    test = stripes(192, 1)
    content = quantize(trained, stripes(384, 0))
    accuracy = np.mean(tflm(content, test.x).argmax(axis=1) == test.y)
    assert abs(accuracy - evaluate(trained, test)) <= 0.03


def test_an_int8_model_has_batch_1_int8_ends_and_per_channel_weights(trained):
    codes, graph = operators(quantize(trained, stripes(64, 0)))
    assert codes == ["CONV_2D", "MAX_POOL_2D", "CONV_2D", "REDUCE_MAX", "FULLY_CONNECTED",
                     "SOFTMAX"]
    ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    assert [tensor.type for tensor in ends] == [9, 9]  # TensorType.INT8
    assert [tuple(tensor.shape) for tensor in ends] == [(1, 8, 8, 1), (1, 3)]
    scales = [len(graph.tensors[op.inputs[1]].quantization.scale) for op in graph.operators[:3:2]]
    assert scales == [12, 12]


def test_quantizing_twice_gives_the_same_bytes(trained):
    hashes = {hashlib.sha256(quantize(trained, stripes(64, 0))).hexdigest() for _ in range(2)}
    assert len(hashes) == 1


@pytest.mark.parametrize("build", [build for build in NETS if build is not several_ends])
def test_every_wiring_converts_to_static_int8_that_follows_the_float_model(build):
    model = seeded(build)
    x = np.random.default_rng(1).uniform(-1, 1, (32, *model.inputs[0].shape[1:]))
    content = quantize(model, make(x))
    codes, graph = operators(content)
    assert not {"SHAPE", "STRIDED_SLICE", "PACK", "QUANTIZE", "DEQUANTIZE"} & set(codes)
    expected = predict(model, x.astype(np.float32))
    worst = np.abs(tflm(content, x) - expected).max() / np.ptp(expected)
    assert worst < 0.1


def test_an_operator_that_would_stay_in_float_is_refused_by_name():
    x = keras().Input((4,))
    model = keras().Model(x, keras().layers.Dense(2)(-keras().layers.Dense(3)(x)))
    with pytest.raises(BadModel, match="1 operator stays in float: NEG") as caught:
        quantize(model, make(np.random.default_rng(0).normal(size=(4, 4))))
    assert "replace" in caught.value.hint and len(caught.value.reasons) == 1


def test_the_converter_is_silent(trained, capfd):
    quantize(trained, stripes(16, 0))
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def recurrent(kind, **options):
    layers = keras().layers
    return keras().Sequential([keras().Input((6, 4)), getattr(layers, kind)(5, **options),
                               layers.Dense(2)])


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_a_rolled_recurrent_layer_is_refused_before_it_crashes_the_converter(kind):
    data = make(np.random.default_rng(0).normal(size=(8, 6, 4)))
    with pytest.raises(BadModel, match=f"rolled {kind}") as caught:
        quantize(recurrent(kind), data)
    assert "unroll=True" in caught.value.hint


def test_an_unrolled_recurrent_layer_converts():
    data = make(np.random.default_rng(0).normal(size=(8, 6, 4)))
    assert "FULLY_CONNECTED" in operators(quantize(recurrent("SimpleRNN", unroll=True), data))[0]


def test_what_the_converter_refuses_is_a_bad_model_with_its_reason():
    model = keras().Sequential([keras().Input((4,)), keras().layers.Lambda(
        lambda x: keras().ops.fft((x, x * 0))[0])])
    with pytest.raises(BadModel) as caught:
        quantize(model, make(np.random.default_rng(0).normal(size=(8, 4))))
    assert "FFT" in " ".join(caught.value.reasons).upper()


@pytest.mark.parametrize("x, message", [
    (np.zeros((4, 6, 6, 3)), "every value is 0"), (np.ones((1, 6, 6, 3)), "1 sample; at least 2"),
    (np.ones((4, 6, 6)), "the model takes (6, 6, 3)"),
])
def test_calibration_data_that_teaches_nothing_is_refused(x, message):
    with pytest.raises(BadData) as caught:
        quantize(sequential(), make(x))
    assert message in caught.value.message and caught.value.hint


def test_models_without_fixed_inputs_and_data_for_them_are_refused():
    layers = keras().layers
    data = make(np.random.default_rng(0).normal(size=(8, 6, 4)))
    open_length = keras().Sequential([keras().Input((None, 4)), layers.Conv1D(2, 1)])
    a, b = keras().Input((4,)), keras().Input((4,))
    for model, error, message in (
            (open_length, BadModel, "only the batch may be open"),
            (keras().Model([a, b], layers.Add()([a, b])), BadData, "2 inputs")):
        with pytest.raises(error) as caught:
            quantize(model, data)
        assert message in caught.value.message


def float_tflite(model, folder):
    """The float .tflite of a Keras model, batch 1, with a signature."""
    import tensorflow as tf
    archive = keras().export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda x: model(x, training=False), [
        tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="input")])
    archive.write_out(folder, verbose=False)
    return tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()


def test_a_float_tflite_names_the_package_it_needs(trained, monkeypatch, tmp_path):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *arguments: (
        None if name == "litert_quantizer" else find_spec(name, *arguments)))
    with pytest.raises(NotThere, match="litert-quantizer"):
        quantize(float_tflite(trained, tmp_path), stripes(4, 0))


def test_a_damaged_float_tflite_is_a_bad_model():
    with pytest.raises(BadModel):
        quantize(b"\0\0\0\0TFL3", stripes(4, 0))
