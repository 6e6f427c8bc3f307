/* Cells with a potassium channel of two states: ionChannelKS, gateKS, vHalfTransition. The states
 * are advanced by the matrix exponential, computed as in jLEMS: the step is halved until the
 * matrix is tiny; then the result, minus the identity, is squared the same number of times.
 *
 *   kinetic BASE         reads BASE.parameters and .currents, writes BASE.c.spikes */
#include "channels.h"

/* The states of closed and open one step later. */
static inline void propagate(double state[2], double forward, double reverse, double step) {
    double m[2][2] = {{0 - forward, reverse}, {forward, 0 - reverse}};
    double largest = 0, factor = 1;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            m[i][j] *= step;
            if (fabs(m[i][j]) > largest) largest = fabs(m[i][j]);
        }
    int squarings = 0;
    while (largest * factor > 1e-12 && squarings < 1100) {
        factor *= 0.5;
        squarings++;
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) m[i][j] *= factor;
    for (int n = 0; n < squarings; n++) {
        double square[2][2];
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) square[i][j] = m[i][0] * m[0][j] + m[i][1] * m[1][j];
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) m[i][j] = (m[i][j] + m[i][j]) + square[i][j];
    }
    const double closed = state[0], open = state[1];
    state[0] = (m[0][0] + 1) * closed + m[0][1] * open;
    state[1] = m[1][0] * closed + (m[1][1] + 1) * open;
}

int main(int count, char **arguments) {
    if (count != 2) fail("usage", "kinetic BASE");
    base = arguments[1];
    const size_t cells = parameter("cells"), steps = parameter("steps");
    const double step = parameter("step"), delay = parameter("delay"), end = parameter("duration") + delay;
    const double C = parameter("C"), v0 = parameter("v0"), thresh = parameter("thresh");
    const double conductance_na = parameter("conductance_na"), number_na = parameter("number_na");
    const double conductance_k = parameter("conductance_k"), number_k = parameter("number_k");
    const double erev_na = parameter("erev_na"), erev_k = parameter("erev_k");
    const double z = parameter("z"), gamma_ = parameter("gamma"), vhalf = parameter("vhalf"), kte = parameter("kte");
    const double tau = parameter("tau"), tau_min = parameter("tau_min");
    const double on = z * gamma_, off = z * (1 - gamma_);
    const struct rate m_on = rate_named("m"), m_off = rate_named("m_reverse");
    const struct rate h_on = rate_named("h"), h_off = rate_named("h_reverse");
    const double *input = currents(cells);

    double *v = allocated(cells, sizeof *v), *last = allocated(cells, sizeof *v), *older = allocated(cells, sizeof *v);
    double *m = allocated(cells, sizeof *m), *h = allocated(cells, sizeof *h);
    double(*state)[2] = allocated(cells, sizeof *state);
    char *spiking = allocated(cells, 1);
    for (size_t i = 0; i < cells; i++) {
        v[i] = last[i] = older[i] = v0;
        m[i] = steady(exp_linear(m_on, v0), exponential(m_off, v0));
        h[i] = steady(exponential(h_on, v0), sigmoid(h_off, v0));
        state[i][0] = 1;
    }

    FILE *spikes = opened(".c.spikes", "w");
    const double started = seconds();
    double time = 0;
    for (size_t s = 0; s < steps; s++) {
        time += step;
        for (size_t i = 0; i < cells; i++) {
            const double seen = older[i];
            const double open_na = pow(m[i], 3) * h[i], open_k = state[i][1];
            m[i] = relaxed(m[i], exp_linear(m_on, seen), exponential(m_off, seen), step);
            h[i] = relaxed(h[i], exponential(h_on, seen), sigmoid(h_off, seen), step);
            const double x = (seen - vhalf) / kte;
            const double forward = 1 / (1 / (exp(on * x) / tau) + tau_min);
            const double reverse = 1 / (1 / (exp(0 - off * x) / tau) + tau_min);
            propagate(state[i], forward, reverse, step);
            older[i] = last[i];
            last[i] = v[i];
            const double na = conductance_na * open_na * number_na * (erev_na - v[i]);
            const double k = conductance_k * open_k * number_k * (erev_k - v[i]);
            v[i] = v[i] + step * ((na + k + pulse(time, delay, end, input[i])) / C);
            if (v[i] > thresh && !spiking[i]) {
                spiking[i] = 1;
                write_spike(spikes, i, time);
            }
            if (v[i] < thresh) spiking[i] = 0;
        }
    }
    if (fclose(spikes)) fail("cannot write", base);
    report(started, cells, steps, 0);
    return 0;
}
