/* A Linux program around model.c; the emulator calls m_invoke without running main(). */
#include <string.h>

int m_invoke(void);
unsigned char copy_from[200], copy_to[200];

int main(int count, char **arguments)
{
    (void)arguments;
    memcpy(copy_to, copy_from, (size_t)count);
    return m_invoke();
}
