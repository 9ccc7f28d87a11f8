#include "Arduino.h"

#include <cstdio>
#include <cstdlib>

static bool begun;
Standin Serial;

void Standin::begin(unsigned long baud) { begun = baud == 115200; }
void Standin::print(const char *text) { std::fputs(text, stdout); }
void Standin::println(const char *text) { std::puts(text); }
void Standin::print(unsigned long value) { std::printf("%lu", value); }
void Standin::println(unsigned long value) { std::printf("%lu\n", value); }
void Standin::println(int value) { std::printf("%d\n", value); }

unsigned long micros() { return 0; }

/* Where the sketch waits, the stand-in ends. */
void delay(unsigned long ms) { std::exit(begun && ms != 0 ? 0 : 2); }

int main() {
  setup();
  for (;;) {
    loop();
  }
}
