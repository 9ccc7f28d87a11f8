/* SPDX-License-Identifier: 0BSD
 * The four functions that compilers call without being asked; no C library is linked.
 * This file is compiled with loop recognition off, or each would become a call of itself.
 */
#include "start.h"

typedef uint32_t __attribute__((may_alias)) word;

/* Word copies need both sides aligned: Cortex-M0+ faults on any other access. */
static int aligned(const void *left, const void *right)
{
    return (((uintptr_t)left | (uintptr_t)right) & (sizeof(word) - 1u)) == 0u;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (aligned(to, from)) {
        for (; count >= sizeof(word); count -= sizeof(word)) {
            *(word *)(void *)out = *(const word *)(const void *)in;
            out += sizeof(word);
            in += sizeof(word);
        }
    }
    while (count-- != 0u) {
        *out++ = *in++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    /* Forwards is right unless the target starts inside the source. */
    if ((uintptr_t)out - (uintptr_t)in >= count) {
        return memcpy(to, from, count);
    }
    while (count-- != 0u) {
        out[count] = in[count];
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    uint8_t *out = to;
    const uint8_t byte = (uint8_t)value;
    if (aligned(to, to)) {
        const word four = 0x01010101u * byte;
        for (; count >= sizeof(word); count -= sizeof(word)) {
            *(word *)(void *)out = four;
            out += sizeof(word);
        }
    }
    while (count-- != 0u) {
        *out++ = byte;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const uint8_t *a = left, *b = right;
    for (; count != 0u; count--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}
