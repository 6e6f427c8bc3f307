/* The bandwidth of the memory for the state of synapses: reads and writes an array in place, one multiplication each.
 * No step of synapses that have a state of their own can take less time than this.
 *
 *   memory COUNT PASSES   an array of COUNT doubles */
#include "reference.h"

int main(int count, char **arguments) {
    if (count != 3) fail("usage", "memory COUNT PASSES");
    const size_t length = strtoull(arguments[1], NULL, 10), passes = strtoull(arguments[2], NULL, 10);
    base = "memory";
    double *states = allocated(length, sizeof *states);
    for (size_t s = 0; s < length; s++) states[s] = 1;
    /* Not known to the compiler, which could otherwise join two passes. */
    volatile double factor = 0.999;
    const double started = seconds();
    for (size_t pass = 0; pass < passes; pass++) {
        const double decay = factor;
        for (size_t s = 0; s < length; s++) states[s] *= decay;
    }
    report(started, length, passes, length);
    return states[length / 2] > 1;
}
