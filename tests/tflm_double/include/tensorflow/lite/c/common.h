#ifndef TFLM_DOUBLE_C_COMMON_H
#define TFLM_DOUBLE_C_COMMON_H

#include <stddef.h>
#include <stdint.h>

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

typedef union TfLitePtrUnion {
  int8_t *int8;
  void *data;
} TfLitePtrUnion;

typedef struct TfLiteTensor {
  TfLitePtrUnion data;
} TfLiteTensor;

#endif
