/* What `inlay inspect` shows machine code and WebAssembly with: tools/inlay/disassembler, which has the comments. */
#ifndef DISASSEMBLER_H
#define DISASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*tool_line_t)(void *env, size_t offset, size_t len, const char *text);

bool tool_disassemble(const char *triple, const uint8_t *code, size_t len, size_t offset, void *env, tool_line_t line);
bool tool_print_wasm(const uint8_t *wasm, size_t len, void *env, tool_line_t line);

#endif
