/* The sodium channel that the Hodgkin-Huxley and the kinetic cells share. A gate reads the
 * voltage that the population of its channel passed on two steps before, as jLEMS passes on requirements. */
#include "reference.h"

struct rate { double rate, midpoint, scale; };

static struct rate rate_named(const char *prefix) {
    char name[64];
    struct rate made;
    snprintf(name, sizeof name, "%s_rate", prefix);
    made.rate = parameter(name);
    snprintf(name, sizeof name, "%s_midpoint", prefix);
    made.midpoint = parameter(name);
    snprintf(name, sizeof name, "%s_scale", prefix);
    made.scale = parameter(name);
    return made;
}

static inline double exp_linear(struct rate r, double v) {
    const double x = (v - r.midpoint) / r.scale;
    return x != 0 ? r.rate * (x / (1 - exp(0 - x))) : r.rate;
}

static inline double exponential(struct rate r, double v) { return r.rate * exp((v - r.midpoint) / r.scale); }

static inline double sigmoid(struct rate r, double v) {
    return r.rate / (1 + exp(0 - (v - r.midpoint) / r.scale));
}

static inline double steady(double alpha, double beta) { return alpha / (alpha + beta); }

static inline double relaxed(double q, double alpha, double beta, double step) {
    const double sum = alpha + beta;
    return q + step * ((alpha / sum - q) / (1 / sum));
}

/* Current of a pulse generator at a time. */
static inline double pulse(double time, double delay, double end, double amplitude) {
    return time >= delay && time < end ? amplitude : 0;
}
