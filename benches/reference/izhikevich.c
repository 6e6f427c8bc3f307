/* Izhikevich cells with exponential synapses: izhikevich2007Cell, expOneSynapse, pulseGenerator.
 * The synapses of a cell are adjacent, in the order in which they were attached. A spike reaches
 * its synapses before the next cell makes its step.
 *
 * With `merged`, each cell has one synapse with the sum of the conductances.
 *
 *   izhikevich BASE [merged]   reads BASE.parameters .edges .currents, writes BASE.c.spikes and .c.dat */
#include "reference.h"

#include <string.h>

int main(int count, char **arguments) {
    const int merged = count == 3 && strcmp(arguments[2], "merged") == 0;
    if (count != 2 && !merged) fail("usage", "izhikevich BASE [merged]");
    base = arguments[1];
    const size_t cells = parameter("cells"), steps = parameter("steps"), columns = parameter("columns");
    const double step = parameter("step");
    const double C = parameter("C"), v0 = parameter("v0"), k = parameter("k"), vr = parameter("vr");
    const double vt = parameter("vt"), vpeak = parameter("vpeak"), a = parameter("a"), b = parameter("b");
    const double c = parameter("c"), d = parameter("d");
    const double gbase = parameter("gbase"), erev = parameter("erev"), tau = parameter("tau");
    const double *input = currents(cells);

    size_t length;
    const uint32_t *edges = numbers(".edges", sizeof *edges, &length);
    const size_t synapses = length / 2;
    size_t *first = allocated(cells + 1, sizeof *first);     /* synapses on a cell */
    size_t *first_out = allocated(cells + 1, sizeof *first); /* receivers of a cell */
    size_t *next = allocated(cells, sizeof *next), *next_out = allocated(cells, sizeof *next);
    uint32_t *out = allocated(synapses, sizeof *out);
    for (size_t e = 0; e < synapses; e++) {
        first_out[edges[2 * e] + 1]++;
        first[edges[2 * e + 1] + 1]++;
    }
    for (size_t i = 0; i < cells; i++) {
        first[i + 1] += first[i];
        first_out[i + 1] += first_out[i];
        next[i] = first[i];
        next_out[i] = first_out[i];
    }
    for (size_t e = 0; e < synapses; e++) {
        const uint32_t cell = edges[2 * e + 1];
        out[next_out[edges[2 * e]]++] = merged ? cell : next[cell]++;
    }
    if (merged)
        for (size_t i = 0; i <= cells; i++) first[i] = i;

    double *g = allocated(first[cells] + 1, sizeof *g);
    double *v = allocated(cells, sizeof *v), *u = allocated(cells, sizeof *u);
    for (size_t i = 0; i < cells; i++) v[i] = v0;

    FILE *spikes = opened(".c.spikes", "w");
    FILE *rows = columns ? opened(".c.dat", "w") : NULL;
    if (rows) write_row(rows, 0, v, columns);
    const double started = seconds();
    double time = 0;
    for (size_t n = 0; n < steps; n++) {
        time += step;
        for (size_t i = 0; i < cells; i++) {
            double total = 0;
            const double driving = erev - v[i];
            for (size_t s = first[i]; s < first[i + 1]; s++) {
                total += g[s] * driving;
                g[s] = g[s] + step * (0 - g[s] / tau);
            }
            total += input[i];
            const double over_rest = v[i] - vr;
            const double current = k * over_rest * (v[i] - vt) + (total - u[i]);
            const double du = a * (b * over_rest - u[i]);
            v[i] = v[i] + step * (current / C);
            u[i] = u[i] + step * du;
            if (v[i] > vpeak) {
                v[i] = c;
                u[i] = u[i] + d;
                write_spike(spikes, i, time);
                for (size_t o = first_out[i]; o < first_out[i + 1]; o++) g[out[o]] = g[out[o]] + gbase;
            }
        }
        if (rows) write_row(rows, time, v, columns);
    }
    if (fclose(spikes) || (rows && fclose(rows))) fail("cannot write", base);
    report(started, cells, steps, synapses);
    return 0;
}
