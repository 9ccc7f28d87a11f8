import pytest

from edgekit.compress.scope import select
from edgekit.errors import UsageError

LAYERS = (("input", "InputLayer"), ("conv1", "Conv2D"), ("depthwise", "DepthwiseConv2D"),
          ("conv2", "Conv2D"), ("head", "Dense"))


@pytest.mark.parametrize("scope, names", [
    (None, ("input", "conv1", "depthwise", "conv2", "head")),
    ("conv*", ("conv1", "conv2")),
    (["head", "conv1"], ("conv1", "head")),
    ("type:Conv2D", ("conv1", "conv2")),
    ("type:*Conv2D,!conv2", ("conv1", "depthwise")),
    ("!type:Conv2D", ("input", "depthwise", "head")),
    ("index:3", ("conv2",)),
    ([-1, 1], ("conv1", "head")),
    ("!index:0", ("conv1", "depthwise", "conv2", "head")),
])
def test_a_scope_gives_the_layers_it_means_in_the_models_order(scope, names):
    assert select(LAYERS, scope) == names


@pytest.mark.parametrize("scope, message, hint", [
    ("cnov1", "no layer matches 'cnov1'", "did you mean 'conv1'"),
    ("type:Conv1D", "no layer matches 'type:Conv1D'", "'type:Conv2D'"),
    ("!haed", "no layer matches 'haed'", "did you mean 'head'"),
    ("xyz", "no layer matches 'xyz'", "the layers are input, conv1"),
    ("index:9", "there is no layer 9; the model has 5", "index:4"),
    ("index:x", "'index:x' is not an index", "index:3"),
    ("conv1,!conv*", "leaves no layer", "the layers are"),
    ("", "the scope is empty", "name at least one layer"),
])
def test_a_scope_that_means_nothing_is_a_usage_error_with_near_names(scope, message, hint):
    with pytest.raises(UsageError) as caught:
        select(LAYERS, scope)
    assert message in caught.value.message
    assert hint in caught.value.hint
