/* What tests/c/dwarf.c asks for, by line and column. divide.wasm.h is made of it with
   clang --target=wasm32 -g -O1 -nostdlib -Wl,--no-entry -fdebug-compilation-dir=/sources -o divide.wasm divide.c */
static int quotient(int x, int y) {
  return x /
         y;
}

static int inlined(int x, int y) { return x % y; }

__attribute__((export_name("divide"), noinline)) int divide(int x, int y) {
  int sum = quotient(x, y);
  return sum + 1;
}

__attribute__((export_name("twice"))) int twice(int x, int y) {
  int first = divide(x, y);
  int second = divide(first, y - 1);
  return first + second + inlined(x, y);
}
