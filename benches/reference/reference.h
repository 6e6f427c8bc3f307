/* Shared code of the references: reads the parameters of a model, writes rows and spikes, times the loop.
 * One program is one translation unit, so everything is static. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *base;

static void fail(const char *what, const char *name) {
    fprintf(stderr, "%s: %s\n", what, name);
    exit(1);
}

/* A path from the base name of the model and a suffix; the next call overwrites it. */
static const char *path(const char *suffix) {
    static char text[4096];
    if (snprintf(text, sizeof text, "%s%s", base, suffix) >= (int)sizeof text) fail("path too long", base);
    return text;
}

static FILE *opened(const char *suffix, const char *mode) {
    FILE *file = fopen(path(suffix), mode);
    if (!file) fail("cannot open", path(suffix));
    return file;
}

/* A value from the file of parameters. */
static double parameter(const char *name) {
    char found[64];
    double value;
    FILE *file = opened(".parameters", "r");
    while (fscanf(file, "%63s %lf", found, &value) == 2) {
        if (strcmp(found, name) == 0) {
            fclose(file);
            return value;
        }
    }
    fail("no parameter", name);
    return 0;
}

static void *allocated(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail("out of", "memory");
    return memory;
}

/* All numbers of a file. */
static void *numbers(const char *suffix, size_t size, size_t *count) {
    FILE *file = opened(suffix, "rb");
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file) / size;
    rewind(file);
    void *memory = allocated(*count, size);
    if (fread(memory, size, *count, file) != *count) fail("cannot read", path(suffix));
    fclose(file);
    return memory;
}

static double *currents(size_t cells) {
    size_t count;
    double *values = numbers(".currents", sizeof *values, &count);
    if (count != cells) fail("a current per cell is wanted in", path(".currents"));
    return values;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void report(double started, size_t cells, size_t steps, size_t synapses) {
    double elapsed = seconds() - started;
    printf("{\"loop_seconds\": %.6f, \"ns_per_cell_step\": %.3f, \"synapses\": %zu}\n", elapsed,
           elapsed * 1e9 / ((double)cells * (double)steps), synapses);
}

static inline void write_spike(FILE *file, size_t cell, double time) { fprintf(file, "%zu\t%.9g\n", cell, time); }

static inline void write_row(FILE *file, double time, const double *values, size_t count) {
    fprintf(file, "%.9g\t", time);
    for (size_t i = 0; i < count; i++) fprintf(file, "%.9g\t", values[i]);
    fputc('\n', file);
}
