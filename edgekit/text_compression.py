"""What prune, quantize and slim did, as text."""

from __future__ import annotations

from edgekit.text_table import table


def prune(d: dict) -> str:
    """`edgekit.prune`."""
    rows = [(layer["name"], layer["kind"], layer["before"], layer["after"], layer["unit"],
             layer["note"]) for layer in d["layers"]]
    steps = [(step["name"], step["parameters"], step["nonzero"], step["macs"], step["int8_bytes"],
              "-" if step["accuracy"] is None else f"{step['accuracy']:.2%}")
             for step in d["steps"]]
    lines = [table(rows, ("layer", "kind", "before", "after", "of", "")), "",
             table(steps, ("", "parameters", "not zero", "MACs", "int8 bytes, about", "accuracy"))]
    if d["accuracy"] is not None:
        lines.append(f"accuracy on {d['accuracy_on']}")
    named = {layer["name"] for layer in d["layers"]}
    lines += [note for note in d["notes"] if note.partition(":")[0] not in named]
    return "\n".join([*lines, f"{d['output']} is written"])


def quantize(d: dict) -> str:
    """`edgekit.quantize`."""
    rows = [(one["op"], one["kind"], one["layer"], one["snr_db"], one["values"], one["weights"])
            for one in d["layers"]]
    text = table(rows, ("op", "kind", "layer", "SNR dB", "distinct values", "of weights"))
    if d["against"]:
        text += f"\nsignal to noise of each output against {d['against']}, the worst first"
    if d["in_scope"]:
        text += f"\ncodebooks or int4 in {', '.join(d['in_scope'])}"
    text += f"\n{d['output']}: {d['bytes']:,} bytes, {d['dtype']}, {d['method']}"
    if d["accuracy"] is None:
        return text
    data = f"the data it was tuned with ({d['epochs']} epochs)" if d["epochs"] else (
        "the calibration data")
    return (f"{text}; accuracy on {data}: float {d['accuracy']['float']:.2%}, "
            f"{d['dtype']} {d['accuracy']['int8']:.2%} ({d['accuracy']['by']})")


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
