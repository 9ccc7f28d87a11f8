/* SPDX-License-Identifier: 0BSD
 * See link.h for the frames. Nothing here waits for ever, allocates, or trusts what it reads.
 */
#include "link.h"

#include "board.h"

_Static_assert(LINK_MAX_PAYLOAD >= 32u && LINK_MAX_PAYLOAD <= 4096u, "see link.h");

#define HEADER 2u /* type, sequence number */
#define CRC_SIZE 4u
#define CRC_START 0xFFFFFFFFu
/* What the register holds behind a frame whose CRC is right, before the final inversion. */
#define CRC_RIGHT 0xDEBB20E3u
#define BLOCK 254u /* COBS: the bytes that one length byte can announce */

#define PAINT 0xA5u
#define OWN_FRAME 64u /* bytes below a local variable that its function may still use */

/* Ticks of silence; a board whose rate is not known is taken for a fast one. */
#define SECOND (BOARD_TICKS_HZ != 0u ? BOARD_TICKS_HZ : 100000000u)
#define SILENCE_BEFORE_A_FRAME (SECOND / 2u)
#define SILENCE_IN_A_TALK (SECOND * 2u)

static struct {
    uint8_t frame[HEADER + LINK_MAX_PAYLOAD + CRC_SIZE];
    uint32_t size, crc;
    uint8_t left;  /* bytes until the next length byte */
    uint8_t zero;  /* a zero belongs before that */
    uint8_t wrong; /* too long */
} in;

static struct {
    uint8_t block[BLOCK];
    uint8_t count;
    uint32_t crc;
} out;

/* Bytes that came while others went out: a UART may hold a single one. */
static struct {
    uint8_t bytes[64];
    uint8_t first, count;
} waiting;

static uint32_t crc_step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ ((crc & 1u) != 0u ? 0xEDB88320u : 0u);
    }
    return crc;
}

static void pump(void)
{
    int byte;
    while (waiting.count < sizeof(waiting.bytes) && (byte = board_getc()) >= 0) {
        waiting.bytes[(waiting.first + waiting.count) % sizeof(waiting.bytes)] = (uint8_t)byte;
        waiting.count++;
    }
}

static int next_byte(void)
{
    pump();
    if (waiting.count == 0u) {
        return -1;
    }
    const uint8_t byte = waiting.bytes[waiting.first];
    waiting.first = (uint8_t)((waiting.first + 1u) % sizeof(waiting.bytes));
    waiting.count--;
    return byte;
}

/* ------------------------------------------------------------------ sending */

static void put(uint8_t byte)
{
    pump();
    board_putc((char)byte);
}

static void put_block(void)
{
    put((uint8_t)(out.count + 1u));
    for (uint8_t i = 0; i < out.count; i++) {
        put(out.block[i]);
    }
    out.count = 0;
}

static void send_byte(uint8_t byte)
{
    out.crc = crc_step(out.crc, byte);
    if (byte != 0u) {
        out.block[out.count++] = byte;
    }
    if (byte == 0u || out.count == BLOCK) {
        put_block();
    }
}

static void send_bytes(const void *from, uint32_t size)
{
    const uint8_t *bytes = from;
    for (uint32_t i = 0; i < size; i++) {
        send_byte(bytes[i]);
    }
}

static void send_number(uint32_t value, uint32_t size)
{
    for (; size != 0u; size--, value >>= 8) {
        send_byte((uint8_t)value);
    }
}

static void send_text(const char *text)
{
    while (*text != '\0') {
        send_byte((uint8_t)*text++);
    }
}

static void begin(uint8_t type, uint8_t sequence)
{
    out.crc = CRC_START;
    out.count = 0;
    put(0);
    send_byte(type);
    send_byte(sequence);
}

static void reply(void)
{
    begin((uint8_t)(in.frame[0] + LINK_REPLY), in.frame[1]);
}

static void end(void)
{
    send_number(~out.crc, CRC_SIZE);
    put_block();
    put(0);
}

static void refuse(enum link_error code)
{
    begin(LINK_ERROR, in.frame[1]);
    send_byte((uint8_t)code);
    send_byte(in.frame[0]);
    end();
}

/* ---------------------------------------------------------------- receiving */

static void forget(void)
{
    in.size = 0;
    in.crc = CRC_START;
    in.left = 0;
    in.zero = 0;
    in.wrong = 0;
}

static void store(uint8_t byte)
{
    if (in.size == sizeof(in.frame)) {
        in.wrong = 1;
        return;
    }
    in.frame[in.size++] = byte;
    in.crc = crc_step(in.crc, byte);
}

/* 1 where this byte completes a frame, which stays in `in` until forget(). */
static int receive(uint8_t byte)
{
    if (byte == 0u) {
        if (in.left == 0u && in.wrong == 0u && in.size >= HEADER + CRC_SIZE && in.crc == CRC_RIGHT) {
            return 1;
        }
        forget();
        return 0;
    }
    if (in.left != 0u) {
        store(byte);
        in.left--;
        return 0;
    }
    if (in.zero != 0u) {
        store(0);
    }
    in.left = (uint8_t)(byte - 1u);
    in.zero = byte != BLOCK + 1u;
    return 0;
}

static uint32_t number(const uint8_t *from, uint32_t size)
{
    uint32_t value = 0;
    while (size-- != 0u) {
        value = value << 8 | from[size];
    }
    return value;
}

/* ------------------------------------------------------------------ answers */

static uint32_t crc_more(uint32_t crc, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc = crc_step(crc, from[i]);
    }
    return crc;
}

static void send_hello(const struct link_model *model)
{
    send_number(LINK_PROTOCOL, 1);
    send_number((model->invoke_until != NULL ? LINK_HAS_LAYERS : 0u) |
                (BOARD_COUNTS_CYCLES != 0 ? LINK_COUNTS_CYCLES : 0u), 1);
    send_number(LINK_MAX_PAYLOAD, 2);
    send_number(model->op_count, 2);
    send_number(BOARD_TICKS_HZ, 4);
    send_number(model->input_count, 1);
    send_number(model->output_count, 1);
    for (uint32_t i = 0; i < model->input_count; i++) {
        send_number(model->input_bytes[i], 4);
    }
    for (uint32_t i = 0; i < model->output_count; i++) {
        send_number(model->output_bytes[i], 4);
    }
    send_text(model->sha256);
    send_text(model->board);
    end();
}

void link_hello(const struct link_model *model)
{
    begin(LINK_HELLO + LINK_REPLY, 0);
    send_hello(model);
}

/* 1 where all inputs are what the host thinks they are. */
static int inputs_are(const struct link_model *model, uint32_t wanted)
{
    uint32_t crc = CRC_START;
    for (int i = 0; i < model->input_count; i++) {
        const uint8_t *input = model->input_at(i);
        if (input == NULL) {
            refuse(LINK_FAILED);
            return 0;
        }
        crc = crc_more(crc, input, model->input_bytes[i]);
    }
    if (~crc != wanted) {
        refuse(LINK_INPUTS);
        return 0;
    }
    return 1;
}

static void load(const struct link_model *model, const uint8_t *payload, uint32_t size)
{
    const uint32_t index = payload[0], offset = number(payload + 1, 4), count = size - 5u;
    if (index >= model->input_count || offset > model->input_bytes[index] ||
        count > model->input_bytes[index] - offset) {
        refuse(LINK_RANGE);
        return;
    }
    uint8_t *to = model->input_at((int)index);
    if (to == NULL) {
        refuse(LINK_FAILED);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        to[offset + i] = payload[5u + i];
        if (i % 32u == 0u) {
            pump(); /* the host does not wait for the answer */
        }
    }
    reply();
    send_bytes(payload, 5);
    end();
}

/* Fills the unused stack from its limit to below this function's frame; gives that end. */
__attribute__((noinline)) static uintptr_t paint(uintptr_t limit)
{
    volatile uint8_t here = PAINT;
    const uintptr_t end = (uintptr_t)&here - OWN_FRAME;
    for (uintptr_t at = limit; at < end; at++) {
        *(volatile uint8_t *)at = PAINT;
    }
    return end;
}

static uintptr_t lowest_used(uintptr_t limit, uintptr_t end)
{
    while (limit < end && *(const volatile uint8_t *)limit == PAINT) {
        limit++;
    }
    return limit;
}

static void infer(const struct link_model *model, const uint8_t *payload)
{
    if (!inputs_are(model, number(payload, 4))) {
        return;
    }
    volatile uint8_t here = 0;
    const uintptr_t limit = (uintptr_t)board_stack_limit();
    const uintptr_t end_of_paint = limit != 0u ? paint(limit) : 0u;
    const uint32_t start = board_cycles();
    const int status = model->invoke();
    const uint32_t ticks = board_cycles() - start;
    const uint32_t stack = limit == 0u ? 0u :
        (uint32_t)((uintptr_t)&here - lowest_used(limit, end_of_paint));
    if (status != 0) {
        refuse(LINK_FAILED);
        return;
    }
    uint32_t crc = CRC_START;
    for (int i = 0; i < model->output_count; i++) {
        crc = crc_more(crc, model->output_at(i), model->output_bytes[i]);
    }
    reply();
    send_number(ticks, 4);
    send_number(~crc, 4);
    send_number(stack, 4);
    end();
}

/* Each number is sent before the next operator runs: no room is needed for them. */
static void times(const struct link_model *model, const uint8_t *payload)
{
    if (model->invoke_op == NULL) {
        refuse(LINK_NO_LAYERS);
        return;
    }
    if (!inputs_are(model, number(payload, 4))) {
        return;
    }
    reply();
    for (int op = 0; op < model->op_count; op++) {
        const uint32_t start = board_cycles();
        (void)model->invoke_op(op);
        send_number(board_cycles() - start, 4);
    }
    end();
}

static void layer(const struct link_model *model, const uint8_t *payload)
{
    const int op = (int)number(payload, 2);
    if (model->invoke_until == NULL) {
        refuse(LINK_NO_LAYERS);
        return;
    }
    if (op >= model->op_count) {
        refuse(LINK_RANGE);
        return;
    }
    if (!inputs_are(model, number(payload + 2, 4))) {
        return;
    }
    const uint32_t start = board_cycles();
    if (model->invoke_until(op) != 0) {
        refuse(LINK_FAILED);
        return;
    }
    const uint32_t ticks = board_cycles() - start;
    size_t bytes;
    const void *output = model->op_output(op, &bytes);
    reply();
    send_number(ticks, 4);
    send_number((uint32_t)bytes, 4);
    send_number(~crc_more(CRC_START, output, bytes), 4);
    end();
}

static void read_back(const struct link_model *model, const uint8_t *payload)
{
    const uint32_t index = number(payload + 1, 2), offset = number(payload + 3, 4);
    const uint32_t count = number(payload + 7, 2);
    const uint8_t *from = NULL;
    size_t size = 0;
    if (payload[0] == LINK_OUTPUT && index < model->output_count) {
        from = model->output_at((int)index);
        size = model->output_bytes[index];
    } else if (payload[0] == LINK_OPERATOR && model->op_output != NULL && index < model->op_count) {
        from = model->op_output((int)index, &size);
    }
    if (from == NULL || offset > size || count > size - offset || count > LINK_MAX_PAYLOAD) {
        refuse(LINK_RANGE);
        return;
    }
    reply();
    send_bytes(from + offset, count);
    end();
}

/* Answers the frame in `in`; 1 where it was BYE. */
static int answer(const struct link_model *model)
{
    const uint8_t *payload = in.frame + HEADER;
    const uint32_t size = in.size - HEADER - CRC_SIZE, type = in.frame[0];
    if (type == LINK_LOAD && size >= 5u) {
        load(model, payload, size);
    } else if (type == LINK_INFER && size == 4u) {
        infer(model, payload);
    } else if (type == LINK_LAYER && size == 6u) {
        layer(model, payload);
    } else if (type == LINK_READ && size == 9u) {
        read_back(model, payload);
    } else if (type == LINK_TIMES && size == 4u) {
        times(model, payload);
    } else if (type == LINK_HELLO && size == 0u) {
        reply();
        send_hello(model);
    } else if (type == LINK_BYE && size == 0u) {
        reply();
        end();
    } else {
        refuse(LINK_UNKNOWN);
    }
    return type == LINK_BYE && size == 0u;
}

int link_serve(const struct link_model *model)
{
    uint32_t patience = 0, silent = 0, last = board_cycles();
    for (;;) {
        const int byte = next_byte();
        const uint32_t now = board_cycles(), passed = now - last;
        last = now;
        if (byte < 0) {
            if (silent >= patience) {
                return 0;
            }
            /* One more than passed: this ends even where the counter stands still. */
            silent = passed < patience - silent ? silent + passed + 1u : patience;
            continue;
        }
        silent = 0;
        if (patience == 0u) {
            patience = SILENCE_BEFORE_A_FRAME;
        }
        if (receive((uint8_t)byte)) {
            const int bye = answer(model);
            forget();
            if (bye) {
                return 1;
            }
            patience = SILENCE_IN_A_TALK;
            last = board_cycles();
        }
    }
}
