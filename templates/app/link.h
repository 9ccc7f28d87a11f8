/* SPDX-License-Identifier: 0BSD
 * The firmware's end of the link: a host loads inputs, runs the model, reads what it computed.
 *
 * On the wire a frame is 0x00 COBS(type, sequence number, payload, CRC-32) 0x00; whatever else
 * is between two zero bytes is the firmware's log. Numbers are little-endian. A reply carries
 * its request's sequence number and its type plus LINK_REPLY.
 *
 *   request   payload                                   reply
 *   HELLO     -                                         protocol u8, flags u8, max payload u16,
 *                                                       operators u16, ticks per second u32,
 *                                                       inputs u8, outputs u8, bytes u32 of each,
 *                                                       model sha256 (64 digits), board's name
 *   LOAD      input u8, offset u32, data                input u8, offset u32
 *   INFER     CRC of all inputs u32                     ticks u32, CRC of all outputs u32, bytes of
 *                                                       stack u32 (0 is not known)
 *   LAYER     operator u16, CRC of all inputs u32       ticks u32, bytes u32, CRC of its output u32
 *   READ      source u8, index u16, offset u32,         data
 *             bytes u16
 *   BYE       -                                         -
 *   TIMES     CRC of all inputs u32                     ticks u32 of each operator
 *
 * INFER, LAYER and TIMES refuse to run on inputs that are not the host's: the answer is then an ERROR
 * frame (code u8, request type u8), as for every request that cannot be served. Damaged frames
 * are not answered; every request may be repeated.
 */
#ifndef LINK_H
#define LINK_H

#include <stddef.h>
#include <stdint.h>

#define LINK_PROTOCOL 1u

/* Bytes of payload, announced to the host; RAM is this and about 400 bytes. At least 32. */
#ifndef LINK_MAX_PAYLOAD
#define LINK_MAX_PAYLOAD 512u
#endif

enum link_type {
    LINK_HELLO = 1,
    LINK_LOAD = 2,
    LINK_INFER = 3,
    LINK_LAYER = 4,
    LINK_READ = 5,
    LINK_BYE = 6,
    LINK_TIMES = 7,
    LINK_REPLY = 0x10,
    LINK_ERROR = 0x7F
};

enum link_error {
    LINK_UNKNOWN = 1,   /* no such request, or no such payload */
    LINK_RANGE = 2,     /* beyond a tensor, or no such tensor */
    LINK_INPUTS = 3,    /* the inputs' CRC differs: load them again */
    LINK_FAILED = 4,    /* the model cannot run */
    LINK_NO_LAYERS = 5  /* the runtime does not stop after an operator */
};

enum link_source { LINK_OUTPUT = 0, LINK_OPERATOR = 1 };

/* Flags of HELLO: LAYER and TIMES are there; ticks are cycles of the CPU. */
#define LINK_HAS_LAYERS 1u
#define LINK_COUNTS_CYCLES 2u

/* The model behind the link; the functions of single operators are NULL where there
 * are none. */
struct link_model {
    const char *board, *sha256;
    uint16_t op_count;
    uint8_t input_count, output_count;
    const uint32_t *input_bytes, *output_bytes;
    void *(*input_at)(int index);
    const void *(*output_at)(int index);
    int (*invoke)(void);
    int (*invoke_until)(int op);
    int (*invoke_op)(int op);
    const void *(*op_output)(int op, size_t *bytes);
};

/* Says who is there, unasked: at start-up. */
void link_hello(const struct link_model *model);

/* Serves a host. Returns 0 at once where nobody talks, and after two seconds of silence; 1
 * where the host said BYE. Between two calls the model is the application's. */
int link_serve(const struct link_model *model);

#endif
