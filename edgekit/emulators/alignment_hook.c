/* What alignment.py has as machine code: a hook of every access that keeps the first unaligned.
 *
 * Compiled as cycles/trace_hook.c is.
 */
#include <stdint.h>

#ifdef WINDOWS
#define HOOK __attribute__((ms_abi))
#else
#define HOOK
#endif

struct state {
    uint64_t seen, address, size;
};

HOOK void data_access(void *uc, int kind, uint64_t address, int size, int64_t value,
                      struct state *s)
{
    (void)uc, (void)kind, (void)value;
    if ((address & ((uint64_t)(uint32_t)size - 1)) == 0 || s->seen++ != 0)
        return;
    s->address = address;
    s->size = (uint32_t)size;
}
