/* tools/embed.c -- turns files into C: `embed migrations FILE.sql...` or `embed assets ROOT FILE...`, to standard output.
 *
 * Runs at build time only. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *slurp(const char *path, size_t *n)
{
        FILE *f = fopen(path, "rb");
        if (!f || fseek(f, 0, SEEK_END) != 0) {
                perror(path);
                exit(1);
        }
        long size = ftell(f);
        rewind(f);
        unsigned char *bytes = malloc((size_t)size + 1);
        if (!bytes || size < 0 || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
                perror(path);
                exit(1);
        }
        (void)fclose(f);
        bytes[size] = 0;
        *n = (size_t)size;
        return bytes;
}

static void print_array(const char *name, int index, const unsigned char *bytes, size_t n)
{
        printf("static const unsigned char %s%d[] = {", name, index);
        for (size_t i = 0; i <= n; i++)
                printf("%s%d,", i % 32 ? "" : "\n", i < n ? bytes[i] : 0);
        printf("\n};\n");
}

/* ".../src/cases/schema/001.sql" -> "cases", 1 */
static void print_migration(const char *path, int index)
{
        const char *end = strstr(path, "/schema/"), *from = end;
        while (from > path && from[-1] != '/')
                from--;
        printf("        {\"%.*s\", %d, (const char *)sql%d},\n", (int)(end - from), from,
               (int)strtol(end + strlen("/schema/"), NULL, 10), index);
}

static int migrations(int n, char **files)
{
        printf("/* Generated from src/FOLDER/schema/NNN.sql. */\n#include \"store/store.h\"\n");
        for (int i = 0; i < n; i++) {
                size_t size;
                unsigned char *bytes = slurp(files[i], &size);
                print_array("sql", i, bytes, size);
                free(bytes);
        }
        printf("const struct migration all_migrations[] = {\n");
        for (int i = 0; i < n; i++)
                print_migration(files[i], i);
        printf("        {0},\n};\n");
        return 0;
}

static uint64_t fnv(const unsigned char *bytes, size_t n)
{
        uint64_t h = UINT64_C(14695981039346656037);
        for (size_t i = 0; i < n; i++)
                h = (h ^ bytes[i]) * UINT64_C(1099511628211);
        return h;
}

/* The build names the files from its own directory and the root from the top: only the real paths agree. */
static char *real(const char *path)
{
        char *found = realpath(path, NULL);
        if (!found) {
                perror(path);
                exit(1);
        }
        return found;
}

/* A file NAME.gz is NAME compressed: it is served under NAME. */
static int assets(const char *root_name, int n, char **files)
{
        char *root = n ? real(root_name) : NULL; /* nothing built: there is no root either */
        printf("/* Generated from the built console. */\n#include \"http/web_assets.h\"\n");
        for (int i = 0; i < n; i++) {
                size_t size;
                unsigned char *bytes = slurp(files[i], &size);
                print_array("file", i, bytes, size);
                printf("#define SIZE%d %zu\n#define ETAG%d \"%016llx\"\n", i, size, i, (unsigned long long)fnv(bytes, size));
                free(bytes);
        }
        printf("static const struct asset all[] = {\n");
        for (int i = 0; i < n; i++) {
                char *file = real(files[i]), *path = file + strlen(root);
                size_t length = strlen(path);
                int gzip = length > 3 && strcmp(path + length - 3, ".gz") == 0;
                printf("        {\"%.*s\", file%d, SIZE%d, %s, ETAG%d},\n", (int)(gzip ? length - 3 : length), path, i, i,
                       gzip ? "true" : "false", i);
                free(file);
        }
        free(root);
        printf("        {0},\n};\nconst struct assets web_assets = {all, %d};\n", n);
        return 0;
}

int main(int argc, char **argv)
{
        if (argc >= 2 && strcmp(argv[1], "migrations") == 0)
                return migrations(argc - 2, argv + 2);
        if (argc >= 3 && strcmp(argv[1], "assets") == 0)
                return assets(argv[2], argc - 3, argv + 3);
        (void)fprintf(stderr, "usage: embed migrations FILE.sql... | embed assets ROOT FILE...\n");
        return 2;
}
