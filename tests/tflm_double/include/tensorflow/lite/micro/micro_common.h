#ifndef TFLM_DOUBLE_MICRO_COMMON_H
#define TFLM_DOUBLE_MICRO_COMMON_H

struct TFLMRegistration {
  int builtin_code;
  const char *custom_name;
};

#endif
