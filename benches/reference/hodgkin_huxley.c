/* Hodgkin-Huxley cells: pointCellCondBased with channelPopulation, ionChannelHH, gateHHrates, joined
 * by gapJunction. The exponentials are those of the platform, so only the times of spikes can be
 * compared. A junction reads the voltage that the other cell had when it last had its turn.
 *
 *   hodgkin_huxley BASE  reads BASE.parameters, .edges and .currents, writes BASE.c.spikes and .c.dat */
#include "channels.h"

int main(int count, char **arguments) {
    if (count != 2) fail("usage", "hodgkin_huxley BASE");
    base = arguments[1];
    const size_t cells = parameter("cells"), steps = parameter("steps"), columns = parameter("columns");
    const double step = parameter("step"), delay = parameter("delay"), end = parameter("duration") + delay;
    const double C = parameter("C"), v0 = parameter("v0"), thresh = parameter("thresh");
    const double conductance_na = parameter("conductance_na"), number_na = parameter("number_na");
    const double conductance_k = parameter("conductance_k"), number_k = parameter("number_k");
    const double g_leak = parameter("conductance_leak") * parameter("number_leak");
    const double erev_na = parameter("erev_na"), erev_k = parameter("erev_k"), erev_leak = parameter("erev_leak");
    const struct rate m_on = rate_named("m"), m_off = rate_named("m_reverse");
    const struct rate h_on = rate_named("h"), h_off = rate_named("h_reverse");
    const struct rate n_on = rate_named("n"), n_off = rate_named("n_reverse");
    const double conductance_junction = parameter("conductance_junction");
    const double *input = currents(cells);

    size_t ends;
    const uint32_t *edges = numbers(".edges", sizeof *edges, &ends);
    size_t *first = allocated(cells + 1, sizeof *first), *next = allocated(cells, sizeof *next);
    uint32_t *other = allocated(ends + 1, sizeof *other);
    for (size_t e = 0; e < ends; e++) first[edges[e] + 1]++;
    for (size_t i = 0; i < cells; i++) {
        first[i + 1] += first[i];
        next[i] = first[i];
    }
    for (size_t e = 0; e < ends; e++) other[next[edges[e]]++] = edges[e ^ 1];

    double *v = allocated(cells, sizeof *v), *last = allocated(cells, sizeof *v), *older = allocated(cells, sizeof *v);
    double *m = allocated(cells, sizeof *m), *h = allocated(cells, sizeof *h), *n = allocated(cells, sizeof *n);
    double *shown = allocated(cells, sizeof *shown);
    char *spiking = allocated(cells, 1);
    for (size_t i = 0; i < cells; i++) {
        v[i] = last[i] = older[i] = shown[i] = v0;
        m[i] = steady(exp_linear(m_on, v0), exponential(m_off, v0));
        h[i] = steady(exponential(h_on, v0), sigmoid(h_off, v0));
        n[i] = steady(exp_linear(n_on, v0), exponential(n_off, v0));
    }

    FILE *spikes = opened(".c.spikes", "w");
    FILE *rows = columns ? opened(".c.dat", "w") : NULL;
    double row[5] = {v[0], m[0], h[0], n[0], 0};
    if (rows) write_row(rows, 0, row, columns);
    const double started = seconds();
    double time = 0;
    for (size_t s = 0; s < steps; s++) {
        time += step;
        for (size_t i = 0; i < cells; i++) {
            const double seen = older[i];
            const double open_na = pow(m[i], 3) * h[i], open_k = pow(n[i], 4);
            m[i] = relaxed(m[i], exp_linear(m_on, seen), exponential(m_off, seen), step);
            h[i] = relaxed(h[i], exponential(h_on, seen), sigmoid(h_off, seen), step);
            n[i] = relaxed(n[i], exp_linear(n_on, seen), exponential(n_off, seen), step);
            older[i] = last[i];
            last[i] = v[i];
            const double leak = g_leak * (erev_leak - v[i]);
            const double na = conductance_na * open_na * number_na * (erev_na - v[i]);
            const double k = conductance_k * open_k * number_k * (erev_k - v[i]);
            double received = 0;
            shown[i] = v[i];
            for (size_t j = first[i]; j < first[i + 1]; j++)
                received += conductance_junction * (shown[other[j]] - v[i]);
            const double current = leak + na + k + (received + pulse(time, delay, end, input[i]));
            v[i] = v[i] + step * (current / C);
            if (i == 0) row[4] = current;
            if (v[i] > thresh && !spiking[i]) {
                spiking[i] = 1;
                write_spike(spikes, i, time);
            }
            if (v[i] < thresh) spiking[i] = 0;
        }
        if (rows) {
            row[0] = v[0], row[1] = m[0], row[2] = h[0], row[3] = n[0];
            write_row(rows, time, row, columns);
        }
    }
    if (fclose(spikes) || (rows && fclose(rows))) fail("cannot write", base);
    report(started, cells, steps, 0);
    return 0;
}
