/* Which version of the library a program, and a plugin that was linked with another one, get. */
#include <inlay.h>
#include <stdio.h>

const char *plugin_version(void);

#if defined PLUGIN
const char *plugin_version(void) { return inlay_version(); }
#elif defined HOST
int main(void) { printf("%s and %s\n", inlay_version(), plugin_version()); }
#else
int main(void) { puts(inlay_version()); }
#endif
