/* Integrate-and-fire cells with a refractory time; excitatory synapses with depression, inhibitory
 * ones without: iafRefCell, blockingPlasticSynapse with tsodyksMarkramDepMechanism,
 * expTwoSynapse. Synapses read the voltage that their cell exposed at the end of its step, which is
 * the voltage before its regime ran.
 *
 *   plastic BASE         reads BASE.parameters .edges .currents, writes BASE.c.spikes */
#include "reference.h"

/* The synapses of one kind: those of a cell are adjacent, in the order of their attachment. */
struct synapses {
    size_t count, *first, *first_out;
    uint32_t *out;
    double *a, *b;
    double gbase, erev, rise, decay, waveform;
};

static struct synapses synapses(const char *kind, const uint32_t *edges, size_t length, size_t from, size_t to,
                                size_t cells) {
    struct synapses made = {0};
    made.first = allocated(cells + 1, sizeof *made.first);
    made.first_out = allocated(cells + 1, sizeof *made.first_out);
    for (size_t e = 0; e < length; e++) {
        if (edges[2 * e] < from || edges[2 * e] >= to) continue;
        made.first_out[edges[2 * e] + 1]++;
        made.first[edges[2 * e + 1] + 1]++;
        made.count++;
    }
    size_t *next = allocated(cells, sizeof *next), *next_out = allocated(cells, sizeof *next);
    for (size_t i = 0; i < cells; i++) {
        made.first[i + 1] += made.first[i];
        made.first_out[i + 1] += made.first_out[i];
        next[i] = made.first[i];
        next_out[i] = made.first_out[i];
    }
    made.out = allocated(made.count, sizeof *made.out);
    for (size_t e = 0; e < length; e++) {
        if (edges[2 * e] < from || edges[2 * e] >= to) continue;
        made.out[next_out[edges[2 * e]]++] = next[edges[2 * e + 1]]++;
    }
    made.a = allocated(made.count, sizeof *made.a);
    made.b = allocated(made.count, sizeof *made.b);
    char name[64];
    double *values[] = {&made.gbase, &made.erev, &made.rise, &made.decay, &made.waveform};
    const char *names[] = {"gbase", "erev", "rise", "decay", "waveform"};
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "%s_%s", kind, names[i]);
        *values[i] = parameter(name);
    }
    return made;
}

static inline double conducted(struct synapses *of, size_t s, double v, double step) {
    const double a = of->a[s], b = of->b[s];
    of->a[s] = a + step * (0 - a / of->rise);
    of->b[s] = b + step * (0 - b / of->decay);
    return of->gbase * (b - a) * (of->erev - v);
}

int main(int count, char **arguments) {
    if (count != 2) fail("usage", "plastic BASE");
    base = arguments[1];
    const size_t cells = parameter("cells"), excitatory = parameter("excitatory"), steps = parameter("steps");
    const double step = parameter("step");
    const double C = parameter("C"), leak = parameter("leak"), rest = parameter("rest"), thresh = parameter("thresh");
    const double reset = parameter("reset"), refract = parameter("refract");
    const double release = parameter("release"), recovery = parameter("recovery");
    const double *input = currents(cells);
    size_t length;
    const uint32_t *edges = numbers(".edges", sizeof *edges, &length);
    struct synapses exc = synapses("exc", edges, length / 2, 0, excitatory, cells);
    struct synapses inh = synapses("inh", edges, length / 2, excitatory, cells, cells);

    double *resource = allocated(exc.count, sizeof *resource), *factor = allocated(exc.count, sizeof *factor);
    for (size_t s = 0; s < exc.count; s++) {
        resource[s] = 1;
        factor[s] = release;
    }
    double *v = allocated(cells, sizeof *v), *shown = allocated(cells, sizeof *v), *last = allocated(cells, sizeof *v);
    char *refractory = allocated(cells, 1);
    for (size_t i = 0; i < cells; i++) v[i] = shown[i] = rest;

    FILE *spikes = opened(".c.spikes", "w");
    const double started = seconds();
    double time = 0;
    for (size_t n = 0; n < steps; n++) {
        time += step;
        for (size_t i = 0; i < cells; i++) {
            double total = 0;
            for (size_t s = exc.first[i]; s < exc.first[i + 1]; s++) {
                factor[s] = resource[s] * release;
                resource[s] = resource[s] + step * ((1 - resource[s]) / recovery);
                total += conducted(&exc, s, shown[i], step);
            }
            for (size_t s = inh.first[i]; s < inh.first[i + 1]; s++) total += conducted(&inh, s, shown[i], step);
            total += input[i];
            const double current = leak * (rest - v[i]) + total;
            shown[i] = v[i];
            if (refractory[i]) {
                if (time > last[i] + refract) refractory[i] = 0;
                continue;
            }
            v[i] = v[i] + step * (current / C);
            if (v[i] > thresh) {
                write_spike(spikes, i, time);
                for (size_t o = exc.first_out[i]; o < exc.first_out[i + 1]; o++) {
                    const uint32_t s = exc.out[o];
                    const double arrived = factor[s] * exc.waveform;
                    exc.a[s] = exc.a[s] + arrived;
                    exc.b[s] = exc.b[s] + arrived;
                    resource[s] = resource[s] * (1 - release);
                }
                for (size_t o = inh.first_out[i]; o < inh.first_out[i + 1]; o++) {
                    inh.a[inh.out[o]] = inh.a[inh.out[o]] + inh.waveform;
                    inh.b[inh.out[o]] = inh.b[inh.out[o]] + inh.waveform;
                }
                refractory[i] = 1;
                last[i] = time;
                v[i] = reset;
            }
        }
    }
    if (fclose(spikes)) fail("cannot write", base);
    report(started, cells, steps, exc.count + inh.count);
    return 0;
}
