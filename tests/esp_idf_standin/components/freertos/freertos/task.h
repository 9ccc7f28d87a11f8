#pragma once
#ifndef pdMS_TO_TICKS
#error "FreeRTOS.h comes first"
#endif

void vTaskDelay(TickType_t ticks);
