/* Compiled as Microsoft's dialect and linked by its kind of linker, with nothing but inlay.lib and the system: there is no
   C library of Microsoft's to be had here. It exits with 0 if wasm gave what it should. */
#include "inlay.h"

__declspec(dllimport) __declspec(noreturn) void __stdcall ExitProcess(unsigned);

int _fltused; /* says to the linker that there are floats */

void start(void);
void start(void) {
  /* (module (func (export "f") (param f64 i32) (result f64) local.get 0 local.get 1 f64.convert_i32_s f64.add)) */
  static const uint8_t wasm[] = {0, 0x61, 0x73, 0x6d, 1,    0, 0, 0, 1, 7, 1, 0x60, 2, 0x7c, 0x7f, 1, 0x7c, 3, 2,    1, 0,
                                 7, 5,    1,    1,    0x66, 0, 0, 10, 10, 1, 8, 0, 0x20, 0, 0x20, 1, 0xb7, 0xa0, 0x0b};
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_linker_t *linker;
  inlay_store_t *store;
  inlay_instance_t *instance;
  void (*typed)(void);
  double result = 0;
  if (inlay_engine_new(0, &engine)) ExitProcess(1);
  if (inlay_module_compile(engine, wasm, sizeof wasm, &module)) ExitProcess(2);
  if (inlay_linker_new(engine, &linker) || inlay_store_new(engine, 0, &store)) ExitProcess(3);
  if (inlay_linker_instantiate(linker, store, module, &instance)) ExitProcess(4);
  inlay_func_t *f = inlay_instance_func(instance, "f");
  if (!f || inlay_func_typed(f, "Fi:F", &typed)) ExitProcess(5);
  if (((inlay_error_t *(*)(inlay_func_t *, double, int32_t, double *))typed)(f, 0.5, 42, &result)) ExitProcess(6);
  inlay_linker_delete(linker);
  inlay_store_delete(store);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  ExitProcess(result == 42.5 ? 0 : 7);
}
