/* Counts instructions in QEMU and notes the count at chosen addresses, in a file both sides map.
 *
 * Own declarations of what is used of QEMU's plugin interface (docs/devel/tcg-plugins.rst),
 * because few systems package its header.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*executed)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed callback,
                                          int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed callback,
                                            int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
#define NO_REGISTERS 0

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

struct pair {
    uint64_t first, second;
};

/* Then `ranges` pairs [first, second) of addresses, then `capacity` pairs (address, count). */
struct shared {
    uint64_t count, ranges, capacity, noted;
    struct pair pairs[];
};

/* An instruction to note, and how many of its block are not before it. */
struct mark {
    uint64_t address, rest;
};

static struct shared *shared;

static void on_block(unsigned int cpu, void *instructions)
{
    (void)cpu;
    shared->count += (uintptr_t)instructions;
}

static void on_instruction(unsigned int cpu, void *data)
{
    const struct mark *mark = data;
    const uint64_t at = shared->noted++;
    (void)cpu;
    if (at < shared->capacity)
        shared->pairs[shared->ranges + at] =
            (struct pair){mark->address, shared->count - mark->rest};
}

static int wanted(uint64_t address)
{
    for (uint64_t i = 0; i < shared->ranges; i++)
        if (shared->pairs[i].first <= address && address < shared->pairs[i].second)
            return 1;
    return 0;
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *block)
{
    const size_t count = qemu_plugin_tb_n_insns(block);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, NO_REGISTERS, (void *)(uintptr_t)count);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        struct mark *mark = wanted(address) ? malloc(sizeof *mark) : NULL;
        if (mark != NULL) { /* lives as long as the block may run: to the end */
            *mark = (struct mark){address, count - i};
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, NO_REGISTERS, mark);
        }
    }
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    struct stat status;
    (void)info;
    if (argc != 1 || strncmp(argv[0], "shared=", 7) != 0)
        return -1;
    const int file = open(argv[0] + 7, O_RDWR);
    if (file < 0 || fstat(file, &status) != 0)
        return -1;
    shared = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
