#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef int esp_err_t;
typedef int uart_port_t;
#define UART_NUM_0 0
#define ESP_ERROR_CHECK(call) ((call) != 0 ? abort() : (void)0)

esp_err_t uart_driver_install(uart_port_t port, int receive, int send, int queue_size, void *queue,
                              int flags);
int uart_write_bytes(uart_port_t port, const void *from, size_t size);
int uart_read_bytes(uart_port_t port, void *to, uint32_t size, uint32_t ticks);
