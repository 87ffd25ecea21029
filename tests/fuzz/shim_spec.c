/* shim_spec: no bytes make the parser of a run's spec read beyond them. */
#include "fuzz.h"

#include "shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spec s;
    char *copy = malloc(size + 1);
    MUST(copy != NULL);
    memcpy(copy, data, size);
    const char *wrong = spec_parse(&s, copy, size);
    if (wrong == NULL) {
        size_t total = 0;
        MUST(s.n_argv > 0 && s.argv[s.n_argv] == NULL && s.env[s.n_env] == NULL && s.log != NULL);
        for (size_t i = 0; i < s.n_argv; i++) total += strlen(s.argv[i]);
        for (size_t i = 0; i < s.n_env; i++) total += strlen(s.env[i]);
        MUST(total < size);
    }
    free(s.lists);
    free(copy);
    return 0;
}
