/* The one function of this library of Windows 10 that Rust's standard library takes its random numbers from: the Wine of
   Debian 12 has neither. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len) { return RtlGenRandom(bytes, (ULONG)len); }
