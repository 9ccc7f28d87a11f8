/* SPDX-License-Identifier: 0BSD
 * What every core does between its reset and main(): variables, then constructors.
 */
#ifndef START_H
#define START_H

#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

/* Fills .data and .bss, runs the constructors and main(), and ends in board_exit(). */
_Noreturn void start(void);

#endif
