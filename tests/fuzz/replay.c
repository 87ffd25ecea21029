/* replay DIR: every file of a seed corpus through the fuzz target linked here. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    MUST(f != NULL);
    MUST(fseek(f, 0, SEEK_END) == 0);
    long size = ftell(f);
    MUST(size >= 0);
    rewind(f);
    uint8_t *data = malloc((size_t)size + 1); /* exact but for the empty one: a sanitizer sees one byte too far */
    MUST(data != NULL && fread(data, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    uint8_t *exact = realloc(data, size > 0 ? (size_t)size : 1);
    MUST(exact != NULL);
    LLVMFuzzerTestOneInput(exact, (size_t)size);
    free(exact);
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: replay DIR\n");
        return 2;
    }
    int n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[4096];
        if (e->d_name[0] == '.') continue;
        MUST(snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name) < (int)sizeof path);
        printf("%s\n", path);
        fflush(stdout);
        replay_file(path);
        n++;
    }
    closedir(dir);
    return n > 0 ? 0 : 1;
}
