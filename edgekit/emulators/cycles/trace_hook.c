/* What trace_hook.py has as machine code: hooks of one run's blocks and of its reads from flash.
 *
 * Compiled with gcc 12.2 for each calling convention, data-free and position-independent:
 *     -Os -fPIC -ffreestanding -fno-stack-protector
 *     -fcf-protection=none -fno-asynchronous-unwind-tables (-DWINDOWS: Microsoft x64)
 */
#include <stdint.h>

#ifdef WINDOWS
#define HOOK __attribute__((ms_abi))
#else
#define HOOK
#endif
#define INLINE static inline __attribute__((always_inline))

struct count {
    uint32_t begun; /* blocks that begin at this halfword */
    uint32_t ended; /* blocks that end before it */
    uint32_t taken; /* of those, how many did not run on into it */
};

struct cache {
    uint64_t lines;  /* address of `size` line numbers, the last used one first */
    uint64_t size;   /* 0: no cache, and no cost */
    uint64_t misses;
};

struct state {
    uint64_t base, span;             /* code, in bytes */
    uint64_t counts;                 /* address of span / 2 + 2 counts */
    uint64_t previous;               /* the address behind the last block */
    uint64_t begun, outside;         /* the last block's start; blocks that are not in `span` */
    uint64_t flash, flash_size;      /* what the caches hold, in bytes */
    uint64_t shift;                  /* log2 of a line's bytes */
    uint64_t code, data;             /* addresses of the caches */
};

INLINE void touch(struct cache *cache, uint32_t line)
{
    uint32_t *lines = (uint32_t *)(uintptr_t)cache->lines;
    uint32_t carried = line;
    for (uint64_t i = 0; i < cache->size; i++) {
        uint32_t here = lines[i];
        lines[i] = carried;
        if (here == line)
            return;
        carried = here;
    }
    cache->misses++;
}

INLINE void pass(const struct state *s, uint64_t at, uint64_t address, uint32_t size)
{
    struct cache *cache = (struct cache *)(uintptr_t)at;
    uint64_t from = address - s->flash, last = from + size - 1;
    if (from >= s->flash_size || last >= s->flash_size || cache->size == 0)
        return;
    for (uint64_t line = from >> s->shift; line <= last >> s->shift; line++)
        touch(cache, (uint32_t)line);
}

HOOK void block(void *uc, uint64_t address, uint32_t size, struct state *s)
{
    struct count *counts = (struct count *)(uintptr_t)s->counts;
    uint64_t from = address - s->base, to = from + size, before = s->previous - s->base;
    (void)uc;
    if (s->previous != address && before <= s->span)
        counts[before / 2].taken++;
    s->previous = address + size;
    s->begun = address;
    if (from > s->span || to > s->span) {
        s->outside++;
        return;
    }
    counts[from / 2].begun++;
    counts[to / 2].ended++;
    pass(s, s->code, address, size);
}

HOOK void data_read(void *uc, int kind, uint64_t address, int size, int64_t value, struct state *s)
{
    (void)uc, (void)kind, (void)value;
    pass(s, s->data, address, (uint32_t)size);
}
