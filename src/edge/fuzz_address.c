/* edge/fuzz_address.c -- X-Forwarded-For: what is read has a text form that reads back as the same address. */
#include "edge/address.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        char *value = malloc(n + 1), text[ADDRESS_TEXT_SIZE];
        struct address a, again;
        if (!value)
                abort();
        memcpy(value, bytes, n);
        value[n] = '\0';
        if (address_forwarded(value, &a)) {
                assert(address_parse(address_text(&a, text), strlen(text), &again) && address_same(&a, &again));
                assert(address_key(&a, 1) == address_key(&again, 1) && address_key(&a, 1) != 0);
        } else {
                assert(!a.known);
        }
        free(value);
        return 0;
}
