/* A model of three ops as a runtime would emit it: calls, loops, predicated code, and stack use. */
#include <stdint.h>
#include <stddef.h>

uint8_t m_arena[64] __attribute__((section(".noinit.edgekit"), aligned(16)));
static int32_t weights[8] = {3, -1, 4, -1, 5, -9, 2, -6}; /* .data: copied by the start-up */
int m_calls;

int8_t *m_input(void) { return (int8_t *)m_arena; }
const int8_t *m_output(void) { return (const int8_t *)m_arena + 32; }
void *m_input_at(int i) { return (void)i, m_arena; }
const void *m_output_at(int i) { return m_arena + 32 + i; }

static __attribute__((noinline)) int32_t clamp(int32_t v) { return v > 127 ? 127 : v < -128 ? -128 : v; }

/* Uses `depth` frames of stack; not inlined into a loop. */
__attribute__((noinline)) int32_t deep(volatile int32_t *v, int depth)
{
    volatile int32_t frame[6];
    for (int i = 0; i < 6; i++) {
        frame[i] = v[i % 4];
    }
    return depth == 0 ? frame[depth & 3] : deep(frame, depth - 1) + frame[0];
}

__attribute__((noinline)) void m_op_00(void)
{
    for (int i = 0; i < 8; i++) {
        m_arena[16 + i] = (uint8_t)clamp((int8_t)m_arena[i] * weights[i]);
    }
}

__attribute__((noinline)) void m_op_01(void)
{
    volatile int32_t v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = (int8_t)m_arena[16 + i] + (int8_t)m_arena[20 + i];
    }
    m_arena[24] = (uint8_t)clamp(deep(v, 3));
}

__attribute__((noinline)) void m_op_02(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 8; i++) {
            int32_t v = (int8_t)m_arena[16 + i];
            m_arena[32 + i] = (uint8_t)(v < 0 ? (int8_t)m_arena[24] - v : v);
        }
        __asm__ volatile("" ::: "memory");
    }
}

int m_invoke(void)
{
    m_op_00();
    m_op_01();
    m_calls++;
    m_op_02();
#ifdef FAULT
    FAULT;
#endif
    return 0;
}
