#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

void vTaskDelay(TickType_t ticks)
{
    exit(ticks == 0 ? 2 : 0);
}
