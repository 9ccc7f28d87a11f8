#pragma once
#include <stdbool.h>
#include <stdint.h>

bool stdio_init_all(void);
uint64_t time_us_64(void);
void sleep_ms(uint32_t ms);
