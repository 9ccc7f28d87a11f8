"""A model that is small enough to read: two inputs, two outputs, variables in .data and .bss."""

from __future__ import annotations

from edgekit.codegen import ModelCode, Project, SelfTest

SHA256 = "0" * 64
HEADER = f"""\
/* SPDX-License-Identifier: 0BSD */
#ifndef TINY_H
#define TINY_H
#include <stddef.h>
#include <stdint.h>
#define TINY_INPUT_COUNT 2
#define TINY_OUTPUT_COUNT 2
#define TINY_OP_COUNT 1
#define TINY_MODEL_SHA256 "{SHA256}"
void *tiny_input_at(int index);
const void *tiny_output_at(int index);
int tiny_invoke(void);
int tiny_invoke_until(int op);
int tiny_invoke_op(int op);
const void *tiny_op_output(int op, size_t *bytes);
#endif
"""

SOURCE = """\
/* SPDX-License-Identifier: 0BSD */
#include "tiny.h"
#if defined(__linux__)
#define ARENA
#else
#define ARENA __attribute__((section(".noinit.edgekit")))
#endif
/* Right only if start-up fills .data and clears .bss. */
int8_t tiny_step = 1;
int8_t tiny_calls;
@flash@
ARENA _Alignas(16) uint8_t tiny_arena[@arena@];
void *tiny_input_at(int index) { return &tiny_arena[8 * index]; }
const void *tiny_output_at(int index) { return &tiny_arena[16 + 8 * index]; }
int tiny_invoke(void)
{
    for (int i = 0; i < 5; i++) {
        tiny_arena[16 + i] = (uint8_t)(tiny_arena[i] + tiny_step + tiny_calls);
    }
    for (int i = 0; i < 3; i++) {
        tiny_arena[24 + i] = tiny_arena[10 - i];
    }
    return @result@;
}
int tiny_invoke_until(int op) { return op == 0 ? tiny_invoke() : -1; }
int tiny_invoke_op(int op) { return tiny_invoke_until(op); }
const void *tiny_op_output(int op, size_t *bytes)
{
    *bytes = op == 0 ? 5 : 0;
    return op == 0 ? &tiny_arena[16] : NULL;
}
"""

SELFTEST = SelfTest((bytes([1, 2, 3, 4, 255]), bytes([7, 8, 9])),
                    (bytes([2, 3, 4, 5, 0]), bytes([9, 8, 7])))


def tiny(*, arena: int = 32, flash: int = 0, result: int = 0) -> ModelCode:
    """The model, with more arena or constants where a test wants it not to fit."""
    table = f"static const uint8_t table[{flash}] = {{0, 1}};" if flash else ""
    end = "table[(uint8_t)tiny_calls]" if flash else str(result)
    source = SOURCE.replace("@arena@", str(arena)).replace("@flash@", table).replace("@result@", end)
    files = Project.of({"tiny.h": HEADER, "tiny.c": source})
    return ModelCode("tiny", "aot", SHA256, arena, files, ("tiny.c",),
                     {"schema": "edgekit.map", "name": "tiny"})
