/* SPDX-License-Identifier: 0BSD
 * RP2040 second stage: the ROM copies the first 256 bytes of the flash to RAM, checks their
 * CRC-32 (0x04C11DB7, not reflected) and runs them. They set up execution in place with the
 * read command 0x03 at a quarter of the clock, which every flash chip knows:
 *
 *     ldr  r0, =0x18000000        SSI
 *     movs r1, #0                 SSIENR: off while it is set up
 *     str  r1, [r0, #8]
 *     movs r1, #4                 BAUDR
 *     str  r1, [r0, #20]
 *     ldr  r1, =0x001F0300        CTRLR0: 32-bit frames, EEPROM read
 *     str  r1, [r0, #0]
 *     movs r1, #0                 CTRLR1: one frame for each access
 *     str  r1, [r0, #4]
 *     ldr  r1, =0x03000218        SPI_CTRLR0: command 0x03, 24 address bits
 *     movs r2, #0xF4
 *     str  r1, [r0, r2]
 *     movs r1, #1                 SSIENR: on
 *     str  r1, [r0, #8]
 *     ldr  r0, =0x10000100        the vectors, behind this stage
 *     ldr  r1, =0xE000ED08        VTOR
 *     str  r0, [r1]
 *     ldr  r2, [r0]
 *     ldr  r3, [r0, #4]
 *     msr  msp, r2
 *     bx   r3
 */
#include <stdint.h>

struct boot2 {
    uint32_t code[63];
    uint32_t crc;
};

__attribute__((section(".boot"), used)) static const struct boot2 boot2 = {
    {0x2100480A, 0x21046081, 0x49096141, 0x21006001, 0x49086041, 0x508122F4,
     0x60812101, 0x49074806, 0x68026008, 0xF3826843, 0x47188808, 0x18000000,
     0x001F0300, 0x03000218, 0x10000100, 0xE000ED08, 0x00000000, 0x00000000},
    0x2C0FF71C,
};
