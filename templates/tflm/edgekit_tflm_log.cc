/* SPDX-License-Identifier: 0BSD
 * Where TFLite Micro's messages go: formatted without a C library's stdio, one piece of text
 * after the other to edgekit_puts(). Only compiled with EDGEKIT_TFLM_MESSAGES.
 */
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" void edgekit_puts(const char *text);
extern "C" void DebugLog(const char *format, va_list arguments);
extern "C" int DebugVsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

namespace {

/* Text into a buffer that is handed on, or ends, where it is full. */
class Sink {
 public:
  Sink(char *buffer, size_t size, bool hand_on) : buffer_(buffer), size_(size), hand_on_(hand_on) {}

  void put(char c) {
    if (hand_on_ && used_ + 1 == size_) {
      flush();
    }
    if (used_ + 1 < size_) {
      buffer_[used_++] = c;
    }
  }

  void put(const char *text) {
    while (*text != '\0') {
      put(*text++);
    }
  }

  void put_number(unsigned long long value, unsigned base) {
    char digits[24];
    char *first = &digits[23];
    *first = '\0';
    do {
      const unsigned digit = static_cast<unsigned>(value % base);
      *--first = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
      value /= base;
    } while (value != 0);
    put(first);
  }

  void put_signed(long long value) {
    if (value < 0) {
      put('-');
    }
    const unsigned long long bits = static_cast<unsigned long long>(value);
    put_number(value < 0 ? 0 - bits : bits, 10);
  }

  /* Three digits after the point. */
  void put_real(double value) {
    if (value != value) {
      put("nan");
      return;
    }
    if (value < 0) {
      put('-');
      value = -value;
    }
    if (value > 1e15) {
      put("huge");
      return;
    }
    const unsigned long long thousandths = static_cast<unsigned long long>(value * 1000 + 0.5);
    put_number(thousandths / 1000, 10);
    put('.');
    for (unsigned long long place = 100; place != 0; place /= 10) {
      put(static_cast<char>('0' + thousandths / place % 10));
    }
  }

  int end() {
    buffer_[used_] = '\0';
    if (hand_on_) {
      flush();
    }
    return static_cast<int>(used_);
  }

 private:
  void flush() {
    buffer_[used_] = '\0';
    edgekit_puts(buffer_);
    used_ = 0;
  }

  char *buffer_;
  size_t size_, used_ = 0;
  bool hand_on_;
};

void put_argument(Sink &sink, char kind, int longs, va_list *arguments) {
  switch (kind) {
    case 's':
      sink.put(va_arg(*arguments, const char *));
      break;
    case 'c':
      sink.put(static_cast<char>(va_arg(*arguments, int)));
      break;
    case 'd':
    case 'i':
      sink.put_signed(longs == 0   ? va_arg(*arguments, int)
                      : longs == 1 ? va_arg(*arguments, long)
                                   : va_arg(*arguments, long long));
      break;
    case 'u':
    case 'x':
      sink.put_number(longs == 0   ? va_arg(*arguments, unsigned)
                      : longs == 1 ? va_arg(*arguments, unsigned long)
                                   : va_arg(*arguments, unsigned long long),
                      kind == 'x' ? 16 : 10);
      break;
    case 'p':
      sink.put_number(reinterpret_cast<uintptr_t>(va_arg(*arguments, void *)), 16);
      break;
    case 'f':
    case 'g':
    case 'e':
      sink.put_real(va_arg(*arguments, double));
      break;
    default:
      sink.put(kind);
  }
}

int format_into(Sink &sink, const char *format, va_list arguments) {
  va_list rest;
  va_copy(rest, arguments);
  for (; *format != '\0'; format++) {
    if (*format != '%') {
      sink.put(*format);
      continue;
    }
    int longs = 0;
    do {
      format++;
      longs += *format == 'l';
      if (*format == 'z' || *format == 't') {
        longs = sizeof(size_t) > sizeof(int) ? 1 : 0;
      }
    } while (*format == 'l' || *format == 'h' || *format == 'z' || *format == 't' ||
             *format == '.' || *format == '#' || *format == '-' ||
             (*format >= '0' && *format <= '9'));
    if (*format == '\0') {
      break;
    }
    put_argument(sink, *format, longs, &rest);
  }
  va_end(rest);
  return sink.end();
}

}  // namespace

void DebugLog(const char *format, va_list arguments) {
  char buffer[64];
  Sink sink(buffer, sizeof buffer, true);
  format_into(sink, format, arguments);
}

int DebugVsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
  if (size == 0) {
    return 0;
  }
  Sink sink(buffer, size, false);
  return format_into(sink, format, arguments);
}
