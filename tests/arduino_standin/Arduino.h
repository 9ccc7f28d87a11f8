#pragma once
/* A stand-in for an Arduino core: what generated sketches use of it, and nothing else. */
#include <cstddef>
#include <cstdint>

struct Standin {
  void begin(unsigned long baud);
  void print(const char *text);
  void println(const char *text);
  void print(unsigned long value);
  void println(unsigned long value);
  void println(int value);
};
extern Standin Serial;

unsigned long micros();
void delay(unsigned long ms);
void setup();
void loop();
