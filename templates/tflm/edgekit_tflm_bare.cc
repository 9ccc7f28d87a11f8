/* SPDX-License-Identifier: 0BSD
 * What C++ asks of a C library at its end. Bare-metal firmware has no end, so nothing that is
 * registered for it is ever called; an abort() stops where a debugger finds it.
 */
extern "C" {

void edgekit_puts(const char *text);
int __cxa_atexit(void (*function)(void *), void *argument, void *object);
[[noreturn]] void abort(void);
[[noreturn]] void __cxa_pure_virtual(void);

extern void *__dso_handle;
void *__dso_handle = nullptr;

int __cxa_atexit(void (*)(void *), void *, void *) { return 0; }

void abort(void) {
  edgekit_puts("abort\n");
  for (;;) {
  }
}

void __cxa_pure_virtual(void) { abort(); }

}  /* extern "C" */
