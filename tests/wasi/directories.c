/* Reading directories: small and large, from the beginning and from the middle, while they change. */
#include "said.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static const char *type_name(int type) {
  return type == DT_DIR ? "directory" : type == DT_REG ? "file" : type == DT_LNK ? "link" : "?";
}

/* All that is there, in the order of names: systems have orders of their own. */
static void list(DIR *dir) {
  char *names[3000];
  size_t count = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < 3000;) {
    char line[400];
    struct stat is;
    int same = fstatat(dirfd(dir), entry->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 && is.st_ino == entry->d_ino;
    /* What is above is nobody's business: the number of "..", is the library's. */
    if (strcmp(entry->d_name, "..") == 0) same = 1;
    snprintf(line, sizeof line, "%s, a %s%s", entry->d_name, type_name(entry->d_type), same ? "" : ", with another number");
    names[count++] = strdup(line);
  }
  qsort(names, count, sizeof *names, by_name);
  unsigned sum = 0;
  for (size_t i = 0; i < count; i++) {
    for (const char *at = names[i]; *at != '\0'; at++) sum = sum * 31 + (unsigned char)*at;
    if (count < 30) printf("    %s\n", names[i]);
    free(names[i]);
  }
  printf("    %zu entries, %u\n", count, sum);
}

static int no_dots(const struct dirent *entry) { return entry->d_name[0] != '.'; }

int main(void) {
  DIR *dir;
  SAY_PTR(opendir("missing"));
  SAY_PTR(dir = opendir("."));
  list(dir);
  OK(closedir(dir));

  OK(mkdir("few", 0777));
  OK(close(OK(open("few/file", O_CREAT | O_WRONLY, 0666))));
  SAY_PTR(opendir("few/file"));
  OK(mkdir("few/sub", 0777));
  OK(symlink("file", "few/link"));
  SAY_PTR(dir = opendir("few"));
  list(dir);
  rewinddir(dir);
  list(dir);
  OK(close(OK(open("few/later", O_CREAT | O_WRONLY, 0666))));
  rewinddir(dir);
  list(dir);
  OK(closedir(dir));

  /* More than there is room for in one call. */
  OK(mkdir("many", 0777));
  for (int i = 0; i < 2000; i++) {
    char name[300];
    snprintf(name, sizeof name, "many/%04d_%.*s", i, i % 200, "a name that is long, longer and even longer than it was before, so that the entries are of many lengths, "
                                                              "which is what a reader of directories has to get right at the end of its room and in the middle, too");
    int fd = open(name, O_CREAT | O_WRONLY, 0666);
    if (fd < 0 || close(fd) != 0) printf("%s: %s\n", name, error_name(errno));
  }
  SAY_PTR(dir = opendir("many"));
  list(dir);
  rewinddir(dir);

  /* From where it was. */
  long at = 0;
  char there[300] = "";
  for (int i = 0; i < 1000; i++) {
    if (i == 700) at = telldir(dir);
    struct dirent *entry = readdir(dir);
    if (entry == NULL) break;
    if (i == 700) strcpy(there, entry->d_name);
  }
  seekdir(dir, at);
  struct dirent *entry = readdir(dir);
  printf("seekdir comes back to the same name: %d\n", entry != NULL && strcmp(entry->d_name, there) == 0);

  /* Removing what is read, as everyone who removes a directory does. */
  rewinddir(dir);
  int removed = 0;
  while ((entry = readdir(dir)) != NULL) {
    if (!no_dots(entry)) continue;
    if (unlinkat(dirfd(dir), entry->d_name, 0) == 0) removed++;
    else printf("%s: %s\n", entry->d_name, error_name(errno));
  }
  printf("%d removed\n", removed);
  OK(closedir(dir));
  OK(rmdir("many"));

  struct dirent **sorted;
  int count = SAY(scandir("few", &sorted, no_dots, alphasort));
  for (int i = 0; i < count; i++) printf("    %s\n", sorted[i]->d_name);
  SAY(scandir("missing", &sorted, NULL, NULL));

  int fd = OK(open("few", O_RDONLY | O_DIRECTORY));
  SAY_PTR(dir = fdopendir(fd));
  list(dir);
  OK(closedir(dir));
  return 0;
}
