/* SPDX-License-Identifier: 0BSD
 * See mlperf.h. A command that is too long, not whole or unknown is an error line, never memory.
 */
#include "mlperf.h"

#include <stddef.h>

#include "board.h"

#define COMMAND_SIZE 80u
#define MILLION 1000000u

static char command[COMMAND_SIZE + 1u];
static uint32_t expected, received; /* bytes of `db load`, and those that came */

/* ------------------------------------------------------------------ answers */

static void put(const char *text)
{
    while (*text != '\0') {
        board_putc(*text++);
    }
}

static void put_number(uint32_t value)
{
    char digits[11];
    char *first = &digits[10];
    *first = '\0';
    do {
        *--first = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    put(first);
}

static void put_hex(uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    board_putc(digits[byte >> 4]);
    board_putc(digits[byte & 15u]);
}

/* With three decimals, rounded; the protocol has no exponents. */
static void put_real(float value)
{
    const float size = value < 0.0f ? -value : value;
    const uint32_t milli = size < 4.0e6f ? (uint32_t)(size * 1000.0f + 0.5f) : 4000000000u;
    if (value < 0.0f && milli != 0u) {
        board_putc('-');
    }
    put_number(milli / 1000u);
    board_putc('.');
    board_putc((char)('0' + milli / 100u % 10u));
    board_putc((char)('0' + milli / 10u % 10u));
    board_putc((char)('0' + milli % 10u));
}

static void line(const char *before, uint32_t value, const char *after)
{
    put(before);
    put_number(value);
    put(after);
    put("\r\n");
}

/* --------------------------------------------------------------------- time */

/* Microseconds since the start, from a counter that may pass its end between two calls once. */
static uint32_t now_us(void)
{
    static uint32_t last, rest, total;
    const uint32_t per_us = BOARD_TICKS_HZ >= MILLION ? BOARD_TICKS_HZ / MILLION : 1u;
    const uint32_t now = board_cycles(), passed = now - last;
    last = now;
    rest += passed % per_us;
    total += passed / per_us + rest / per_us;
    rest %= per_us;
    return total;
}

static void timestamp(void)
{
    line("m-lap-us-", now_us(), "");
}

/* ----------------------------------------------------------------- commands */

/* The word at `*at`, ended and stepped over; "" where there is none. */
static const char *word(char **at)
{
    while (**at == ' ') {
        (*at)++;
    }
    const char *found = *at;
    while (**at != ' ' && **at != '\0') {
        (*at)++;
    }
    if (**at == ' ') {
        *(*at)++ = '\0';
    }
    return found;
}

static int is(const char *left, const char *right)
{
    while (*left == *right && *left != '\0') {
        left++;
        right++;
    }
    return *left == *right;
}

/* 1 where the text is a number of at most seven digits. */
static int number(const char *text, uint32_t *value)
{
    uint32_t digits = 0;
    for (*value = 0; *text >= '0' && *text <= '9' && digits < 7u; text++, digits++) {
        *value = 10u * *value + (uint32_t)(*text - '0');
    }
    return digits != 0u && *text == '\0';
}

/* 0 to 15, or -1. */
static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t room(const struct mlperf_model *model)
{
    return model->kind == MLPERF_FLOATS ? model->size * (uint32_t)sizeof(float) : model->size;
}

/* A float from its bytes, least significant first as the runner sends it. */
static float real_at(const struct mlperf_model *model, uint32_t index)
{
    const uint8_t *from = model->received + index * sizeof(float);
    union {
        uint32_t bits;
        float value;
    } real = {from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24};
    return real.value;
}

static void fill_tensor(const struct mlperf_model *model)
{
    for (uint32_t i = 0; i < model->size; i++) {
        switch (model->kind) {
        case MLPERF_IMAGE:
            model->tensor[i] = (int8_t)(model->received[i] - 128);
            break;
        case MLPERF_FLOATS:
            model->tensor[i] = model->quantize(real_at(model, i));
            break;
        default:
            model->tensor[i] = (int8_t)model->received[i];
        }
    }
}

static void load(const struct mlperf_model *model, const char *size)
{
    uint32_t count;
    if (!number(size, &count) || count == 0u) {
        put("e-[Command 'db load' requires the # of bytes]\r\n");
    } else if (count > room(model)) {
        line("e-[Supplied buffer size exceeds maximum of ", room(model), "]");
    } else {
        expected = count;
        received = 0;
        line("m-[Expecting ", count, " bytes]");
    }
}

/* Digits beyond the expected bytes are disregarded. */
static void take(const struct mlperf_model *model, const char *hex)
{
    for (; *hex != '\0' && received < expected; hex += 2) {
        const int high = nibble(hex[0]), low = high < 0 ? -1 : nibble(hex[1]);
        if (low < 0) {
            put("e-[Invalid hex digit]\r\n");
            return;
        }
        model->received[received++] = (uint8_t)(high << 4 | low);
        if (received == expected) {
            put("m-load-done\r\n");
        }
    }
}

static void print_buffer(const struct mlperf_model *model)
{
    for (uint32_t i = 0; i < received; i++) {
        put(i % 8u == 0u ? "m-buffer-" : "-");
        put_hex(model->received[i]);
        if (i % 8u == 7u || i + 1u == received) {
            put("\r\n");
        }
    }
}

static void buffer(const struct mlperf_model *model, char *rest)
{
    const char *what = word(&rest);
    if (is(what, "load")) {
        load(model, word(&rest));
    } else if (is(what, "print")) {
        print_buffer(model);
    } else if (*what == '\0') {
        put("e-[Command 'db' requires a subcommand]\r\n");
    } else {
        take(model, what);
    }
}

static void results(const struct mlperf_model *model)
{
    float sum = 0.0f;
    put("m-results-[");
    for (uint32_t i = 0; i < model->outputs; i++) {
        const float value = model->output(i);
        if (model->kind == MLPERF_FLOATS) {
            const float difference = value - (i < model->size ? real_at(model, i) : 0.0f);
            sum += difference * difference;
        } else {
            put(i != 0u ? "," : "");
            put_real(value);
        }
    }
    if (model->kind == MLPERF_FLOATS) {
        put_real(sum / (float)model->outputs);
    }
    put("]\r\n");
}

/* 1 where all inferences succeeded. The clock is looked at after each: it may be short. */
static int repeat(const struct mlperf_model *model, uint32_t count)
{
    int failed = 0;
    for (; count != 0u; count--) {
        failed |= model->infer(model->tensor);
        (void)now_us();
    }
    return failed == 0;
}

static void infer(const struct mlperf_model *model, char *rest)
{
    uint32_t count = 1, warm_ups = 10;
    const char *first = word(&rest), *second = word(&rest);
    if ((*first != '\0' && !number(first, &count)) || count == 0u) {
        put("e-[Inference iterations must be >0]\r\n");
        return;
    }
    if (*second != '\0' && !number(second, &warm_ups)) {
        put("e-[Inference warmup must be >=0]\r\n");
        return;
    }
    if (expected == 0u || received != room(model)) {
        line("e-[The input has ", received, " bytes, it is not whole]");
        return;
    }
    fill_tensor(model);
    line("m-warmup-start-", warm_ups, "");
    int right = repeat(model, warm_ups);
    put("m-warmup-done\r\n");
    line("m-infer-start-", count, "");
    timestamp();
    right &= repeat(model, count);
    timestamp();
    put("m-infer-done\r\n");
    if (right) {
        results(model);
    } else {
        put("e-[The inference failed]\r\n");
    }
}

static void help(void)
{
    put("help, name, profile, timestamp: who this is\r\n"
        "db load N, db HEX, db print: the input\r\n"
        "infer N [WARM-UPS], results: run it\r\n");
}

static void obey(const struct mlperf_model *model)
{
    char *rest = command;
    const char *what = word(&rest);
    if (is(what, "name")) {
        put("m-name-dut-[" BOARD_NAME "]\r\n");
    } else if (is(what, "profile")) {
        put("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[");
        put(model->benchmark);
        put("]\r\n");
    } else if (is(what, "timestamp")) {
        timestamp();
    } else if (is(what, "help")) {
        help();
    } else if (is(what, "db")) {
        buffer(model, rest);
    } else if (is(what, "infer")) {
        infer(model, rest);
    } else if (is(what, "results")) {
        results(model);
    } else {
        put("e-[Unknown command: ");
        put(what);
        put("]\r\n");
    }
}

void mlperf_serve(const struct mlperf_model *model)
{
    uint32_t size = 0;
    (void)now_us();
    put("m-timestamp-mode-performance\r\n");
    timestamp();
    put("m-init-done\r\nm-ready\r\n");
    for (;;) {
        const int byte = board_getc();
        if (byte == '%') {
            command[size <= COMMAND_SIZE ? size : 0u] = '\0';
            if (size <= COMMAND_SIZE) {
                obey(model);
            } else {
                put("e-[Command too long]\r\n");
            }
            put("m-ready\r\n");
            size = 0;
        } else if (byte >= ' ' && byte <= '~') {
            if (size < COMMAND_SIZE) {
                command[size] = (char)byte;
            }
            if (size <= COMMAND_SIZE) { /* one more than fits says that it does not */
                size++;
            }
        }
    }
}
