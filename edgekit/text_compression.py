"""What prune, quantize, slim and fit did, as text."""

from __future__ import annotations

from edgekit.text_table import PROFILE_HEADER, profile_row, table


def prune(d: dict) -> str:
    """`edgekit.prune`."""
    rows = [(layer["name"], layer["kind"], layer["before"], layer["after"], layer["unit"],
             layer["note"]) for layer in d["layers"]]
    scope = [f"the scope names {', '.join(d['matched'])}"] if d["matched"] is not None else []
    lines = [table(rows, ("layer", "kind", "before", "after", "of", "")), *scope, "",
             _steps(d["steps"])]
    if d["accuracy"] is not None:
        lines.append(f"accuracy on {d['accuracy_on']}")
    named = {layer["name"] for layer in d["layers"]}
    lines += [note for note in d["notes"] if note.partition(":")[0] not in named]
    return "\n".join([*lines, f"{d['output']} is written"])


def _fidelity(layers: list[dict], against: str | None) -> str:
    rows = [(one["op"], one["kind"], one["layer"], one["snr_db"], one["values"], one["weights"])
            for one in layers]
    text = table(rows, ("op", "kind", "layer", "SNR dB", "distinct values", "of weights"))
    return text if against is None else (
        f"{text}\nsignal to noise of each output against {against}, the worst first")


def _steps(steps: list[dict]) -> str:
    rows = [(step["name"], step["parameters"], step["nonzero"], step["macs"], step["int8_bytes"],
             "-" if step["accuracy"] is None else f"{step['accuracy']:.2%}") for step in steps]
    return table(rows, ("", "parameters", "not zero", "MACs", "int8 bytes, about", "accuracy"))


def quantize(d: dict) -> str:
    """`edgekit.quantize`."""
    text = _fidelity(d["layers"], d["against"])
    if d["in_scope"]:
        text += f"\ncodebooks or int4 in {', '.join(d['in_scope'])}"
    text += f"\n{d['output']}: {d['bytes']:,} bytes, {d['dtype']}, {d['method']}"
    if d["accuracy"] is None:
        return text
    known = d["accuracy"]["float"]
    before = "" if known is None else f"float {known:.2%}, "
    return (f"{text}; accuracy on {_judged_on(d)}: {before}"
            f"{d['dtype']} {d['accuracy']['int8']:.2%} ({d['accuracy']['by']})")


def _judged_on(d: dict) -> str:
    """Which samples the accuracy is of, and whether the model has seen them."""
    if d["accuracy"]["on"] != d["data"]:
        return d["accuracy"]["on"]
    return f"the data it was tuned with ({d['epochs']} epochs)" if d["epochs"] else (
        "the calibration data")


def slim(d: dict) -> str:
    """`edgekit.slim`."""
    return (f"{d['output']}: {d['bytes_before']:,} -> {d['bytes_after']:,} bytes; equal on "
            f"{d['samples']} samples by {d['golden']}" + _tables(d["compressed"]) + _plan(d["plan"]))


def _plan(plan: dict | None) -> str:
    """What a plan of TFLite Micro's arena saved."""
    if plan is None:
        return ""
    if not plan["kept"]:
        return "\nno plan in it: TFLite Micro's own is as small"
    return (f"\nwith a plan of TFLite Micro's arena: {plan['arena_before']:,} -> "
            f"{plan['arena_after']:,} bytes")


def _tables(compressed: dict | None) -> str:
    """What TFLite Micro's look-up tables saved and cost."""
    if compressed is None:
        return ""
    count, arena = len(compressed["tensors"]), ""
    if compressed["arena_before"] is not None:
        arena = (f"; TFLite Micro's arena {compressed['arena_before']:,} -> "
                 f"{compressed['arena_after']:,} bytes")
    return f"\n{count} weight tensor{'' if count == 1 else 's'} as look-up tables{arena}"


def fit(d: dict) -> str:
    """`edgekit.fit`."""
    removed = [(layer["name"], layer["kind"], layer["before"], layer["after"])
               for layer in d["layers"]]
    tried = [(f"{t['rate']:.1%}", t["bits"] or 8, t["costs"], t["fits"]) for t in d["tried"]]
    rows = [("before", *profile_row(d["before"])[1:]), ("after", *profile_row(d["after"])[1:])]
    accuracy = d["accuracy"]
    parts = [table(tried, ("rate", "bits", "costs", "fits"))] if tried else []
    parts += [f"{miss['rate']:.1%} with {miss['bits'] or 8} bits: int8 accuracy "
              f"{miss['accuracy']:.2%}, {miss['why']}" for miss in d["misses"]]
    if removed:
        parts += [table(removed, ("layer", "kind", "before", "after")), _steps(d["steps"])]
    if d["fidelity"]:
        parts += [_fidelity(d["fidelity"], d["against"])]
    bits = f", codebooks of {d['bits']} bits (generate with --optimize size)" if d["bits"] else ""
    parts += [table(rows, ("", *PROFILE_HEADER[1:])),
              f"{d['output']}: pruned by {d['rate']:.1%}{bits} for {d['board']}; int8 accuracy on "
              f"{accuracy['samples']:,} samples of {accuracy['on']} {accuracy['before']:.2%} -> "
              f"{accuracy['after']:.2%}"]
    return "\n\n".join(parts)
