/* debuggers.c: gdb and perf see WebAssembly's functions by their names, by gdb's JIT interface and perf's jitdump. */
#define _GNU_SOURCE /* gettid */
#include <string.h>

#include "example.h"
#include "guest.wasm.h"

#ifndef __linux__
int main(void) {
    printf("gdb's interface is used with ELF files here, and perf is Linux's\n");
    return 0;
}
#else
#include <elf.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What a piece of code is called: the name in the module, or "wasm[7]". */
static void name_of(const inlay_module_function_t *piece, char *out, size_t size) {
    if (piece->name != NULL) snprintf(out, size, "%.*s", (int)piece->name_len, piece->name);
    else snprintf(out, size, "wasm[%u]", (unsigned)piece->function_index);
}

/* ---- gdb: a list of ELF files in memory, and a function at which gdb has a breakpoint. See "JIT Compilation Interface" in its manual. */

typedef struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    uint64_t symfile_size;
} jit_code_entry_t;

extern struct jit_descriptor {
    uint32_t version, action_flag;
    jit_code_entry_t *relevant_entry, *first_entry;
} __jit_debug_descriptor;
struct jit_descriptor __jit_debug_descriptor = {1, 0, NULL, NULL};

enum { NO_ACTION, REGISTERED, UNREGISTERED };

void __jit_debug_register_code(void);
__attribute__((noinline)) void __jit_debug_register_code(void) { __asm__ volatile("" ::: "memory"); }

/* An ELF file that says what is where in code which is not in the file: sections of nothing, symbols and their names. */
enum { TEXT = 1, SYMBOLS, NAMES, SECTIONS };
typedef struct elf_file {
    Elf64_Ehdr header;
    Elf64_Shdr sections[SECTIONS];
    /* then the symbols, and then the names */
} elf_file_t;

#if defined __x86_64__
enum { MACHINE = EM_X86_64, ENDIAN = ELFDATA2LSB };
#elif defined __aarch64__
enum { MACHINE = EM_AARCH64, ENDIAN = ELFDATA2LSB };
#elif defined __riscv
enum { MACHINE = EM_RISCV, ENDIAN = ELFDATA2LSB };
#else
enum { MACHINE = EM_S390, ENDIAN = ELFDATA2MSB };
#endif

static jit_code_entry_t *register_with_gdb(const inlay_module_t *module) {
    static const char fixed[] = "\0.text\0.symtab\0.strtab";
    const uint8_t *code;
    size_t len, count = 0, names = sizeof fixed;
    char name[256];
    inlay_module_function_t piece = {.size = sizeof piece};
    inlay_module_code(module, &code, &len);
    for (; inlay_module_function(module, count, &piece); count++) {
        name_of(&piece, name, sizeof name);
        names += strlen(name) + 1;
    }

    size_t symbols = (count + 1) * sizeof(Elf64_Sym), size = sizeof(elf_file_t) + symbols + names;
    jit_code_entry_t *entry = calloc(1, sizeof *entry + size);
    expect(entry != NULL, "no memory for symbols");
    elf_file_t *file = (elf_file_t *)(entry + 1);
    Elf64_Sym *symbol = (Elf64_Sym *)(file + 1);
    char *first = (char *)symbol + symbols, *next = first;

    memcpy(file->header.e_ident, ELFMAG, SELFMAG);
    file->header.e_ident[EI_CLASS] = ELFCLASS64;
    file->header.e_ident[EI_DATA] = ENDIAN;
    file->header.e_ident[EI_VERSION] = EV_CURRENT;
    file->header.e_type = ET_REL;
    file->header.e_machine = MACHINE;
    file->header.e_version = EV_CURRENT;
    file->header.e_shoff = offsetof(elf_file_t, sections);
    file->header.e_ehsize = sizeof(Elf64_Ehdr);
    file->header.e_shentsize = sizeof(Elf64_Shdr);
    file->header.e_shnum = SECTIONS;
    file->header.e_shstrndx = NAMES;
    file->sections[TEXT] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                        .sh_addr = (uintptr_t)code, .sh_size = len, .sh_addralign = 16};
    file->sections[SYMBOLS] = (Elf64_Shdr){.sh_name = 7, .sh_type = SHT_SYMTAB, .sh_offset = sizeof *file, .sh_size = symbols,
                                           .sh_link = NAMES, .sh_info = 1, .sh_addralign = 8, .sh_entsize = sizeof(Elf64_Sym)};
    file->sections[NAMES] = (Elf64_Shdr){.sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = sizeof *file + symbols,
                                         .sh_size = names, .sh_addralign = 1};
    memcpy(next, fixed, sizeof fixed);
    next += sizeof fixed;
    for (size_t i = 0; inlay_module_function(module, i, &piece); i++) {
        name_of(&piece, name, sizeof name);
        *++symbol = (Elf64_Sym){.st_name = (Elf64_Word)(next - first), .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = TEXT,
                                .st_value = (uintptr_t)piece.address - (uintptr_t)code, .st_size = piece.len};
        strcpy(next, name);
        next += strlen(name) + 1;
    }

    entry->symfile_addr = (const char *)file;
    entry->symfile_size = size;
    entry->next_entry = __jit_debug_descriptor.first_entry;
    if (entry->next_entry != NULL) entry->next_entry->prev_entry = entry;
    __jit_debug_descriptor.first_entry = __jit_debug_descriptor.relevant_entry = entry;
    __jit_debug_descriptor.action_flag = REGISTERED;
    __jit_debug_register_code();
    return entry;
}

/* Before the module is deleted, and with it its code. */
static void unregister_from_gdb(jit_code_entry_t *entry) {
    if (entry->prev_entry != NULL) entry->prev_entry->next_entry = entry->next_entry;
    else __jit_debug_descriptor.first_entry = entry->next_entry;
    if (entry->next_entry != NULL) entry->next_entry->prev_entry = entry->prev_entry;
    __jit_debug_descriptor.relevant_entry = entry;
    __jit_debug_descriptor.action_flag = UNREGISTERED;
    __jit_debug_register_code();
    free(entry);
}

/* ---- perf: a file of what code there was when, which `perf inject --jit` puts into a profile. Its form is in the kernel's
   tools/perf/Documentation/jitdump-specification.txt. */

typedef struct jitdump_header {
    uint32_t magic, version, size, machine, reserved, pid;
    uint64_t time, flags;
} jitdump_header_t;

typedef struct jitdump_load {
    uint32_t what, size;
    uint64_t time;
    uint32_t pid, tid;
    uint64_t vma, address, len, index;
    /* then the name, and then the code */
} jitdump_load_t;

/* The clock of `perf record -k mono`. */
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void write_jitdump(const inlay_module_t *module, const char *directory, char *path, size_t size) {
    snprintf(path, size, "%s/jit-%d.dump", directory, (int)getpid());
    FILE *file = fopen(path, "w+");
    expect(file != NULL, "the directory cannot be written to");
    jitdump_header_t header = {.magic = 0x4a695444, .version = 1, .size = sizeof header, .machine = MACHINE,
                               .pid = (uint32_t)getpid(), .time = now()};
    fwrite(&header, sizeof header, 1, file);
    fflush(file);
    /* perf learns of the file by this mapping, which has to be executable; nothing is executed there. */
    void *mark = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(file), 0);
    expect(mark != MAP_FAILED, "the file cannot be mapped");

    inlay_module_function_t piece = {.size = sizeof piece};
    for (size_t i = 0; inlay_module_function(module, i, &piece); i++) {
        char name[256];
        name_of(&piece, name, sizeof name);
        size_t name_size = strlen(name) + 1;
        jitdump_load_t load = {.size = (uint32_t)(sizeof load + name_size + piece.len), .time = now(), .pid = (uint32_t)getpid(),
                               .tid = (uint32_t)syscall(SYS_gettid), .vma = (uintptr_t)piece.address,
                               .address = (uintptr_t)piece.address, .len = piece.len, .index = i};
        fwrite(&load, sizeof load, 1, file);
        fwrite(name, name_size, 1, file);
        fwrite(piece.address, piece.len, 1, file);
    }
    expect(fclose(file) == 0, "the file cannot be written");
    munmap(mark, (size_t)sysconf(_SC_PAGESIZE));
}

/* ---- the program: a guest that counts primes, and rests once in the host, where one can look at the stack. */

void at_rest(void);
__attribute__((noinline)) void at_rest(void) { __asm__ volatile("" ::: "memory"); }

static inlay_error_t *rest(void *env, inlay_caller_t *caller) {
    (void)env, (void)caller;
    at_rest();
    return NULL;
}

/* What another program would read: the symbol that an address has, in a file that was registered. */
static const char *symbol_at(const jit_code_entry_t *entry, uintptr_t address) {
    const elf_file_t *file = (const elf_file_t *)entry->symfile_addr;
    const Elf64_Shdr *symbols = &file->sections[SYMBOLS];
    const Elf64_Sym *symbol = (const Elf64_Sym *)(entry->symfile_addr + symbols->sh_offset);
    for (size_t i = 1; i < symbols->sh_size / sizeof *symbol; i++) {
        uintptr_t start = file->sections[TEXT].sh_addr + symbol[i].st_value;
        if (address - start < symbol[i].st_size) return entry->symfile_addr + file->sections[NAMES].sh_offset + symbol[i].st_name;
    }
    return "";
}

int main(int argc, char **argv) {
    const char *directory = argc > 1 ? argv[1] : "/tmp";
    int32_t below = argc > 2 ? atoi(argv[2]) : 20000, result;
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, guest_wasm, sizeof guest_wasm, &module));

    /* Both are for those who want them: the host calls one when its user asks for a profile, the other in builds for debugging. */
    char path[512];
    jit_code_entry_t *entry = register_with_gdb(module);
    write_jitdump(module, directory, path, sizeof path);

    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_func_typed(linker, "host", "rest", ":", (void (*)(void))rest, NULL, NULL));
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_instantiate(linker, store, module, &instance));
    inlay_value_t argument = {.kind = INLAY_I32, .of.i32 = below}, value;
    check(inlay_func_call(inlay_instance_func(instance, "primes"), &argument, 1, &value, 1));
    result = value.of.i32;
    printf("%d primes below %d\n", (int)result, (int)below);

    inlay_module_function_t piece = {.size = sizeof piece};
    for (size_t i = 0; inlay_module_function(module, i, &piece); i++) {
        char name[256];
        name_of(&piece, name, sizeof name);
        expect(strcmp(symbol_at(entry, (uintptr_t)piece.address + piece.len - 1), name) == 0, "a symbol for each piece of code");
        if (piece.function_index != INLAY_NO_FUNCTION) printf("%s is at %p, %zu bytes\n", name, piece.address, piece.len);
    }
    FILE *file = fopen(path, "r");
    expect(file != NULL && fseek(file, 0, SEEK_END) == 0 && ftell(file) > (long)sizeof(jitdump_header_t), "a file for perf");
    fclose(file);
    if (argc <= 1) remove(path);

    unregister_from_gdb(entry);
    expect(__jit_debug_descriptor.first_entry == NULL, "nothing is registered any more");
    inlay_store_delete(store);
    inlay_linker_delete(linker);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
#endif
