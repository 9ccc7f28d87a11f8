#pragma once
#include <stdbool.h>
#include <stdint.h>

bool stdio_init_all(void);
uint64_t time_us_64(void);
uint32_t time_us_32(void);
int putchar_raw(int c);
int getchar_timeout_us(uint32_t timeout_us);
void sleep_ms(uint32_t ms);
