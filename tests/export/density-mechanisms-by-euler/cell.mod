: cell, computed step by step as jLEMS does: SI units, its order of operations.
: Made by jlems-rs. It is not attached to the potential of its section.

NEURON {
    THREADSAFE
    POINT_PROCESS cell
    NONSPECIFIC_CURRENT i
    RANGE time_step, time_now, pulseGenerator_i, thresh, surfaceArea, totCap, totCap_start
    RANGE rate_of_the_potential, vm, spiking, n_pulseGenerator
}

PARAMETER {
    time_step = 1e-5  : length of a step (s)
}

ASSIGNED {
    time_now               : time at the end of the step (s)
    pulseGenerator_i[1]    : pulseGenerator/i
    thresh                 : cell/thresh
    surfaceArea            : cell/surfaceArea
    totCap_start           : cell/totCap, at the start
    totCap                 : cell/totCap
    rate_of_the_potential  : cell/rate of the potential
    vm                     : cell/v
    spiking                : cell/spiking
    n_pulseGenerator       : what is attached
    v (mV)                 : potential
    i (nA)                 : current through the membrane, without that into its capacitance
}

INITIAL {
    time_now = 0
    thresh = (-0.02)
    totCap = totCap_start
    rate_of_the_potential = 0
    vm = (-0.065)
    spiking = 0
    FROM j0 = 0 TO 0 {
        pulseGenerator_i[j0] = 0
    }
}

BREAKPOINT {
    SOLVE finish METHOD after_cvode
    vm = 0.001*v
    find_currents()
    i = 0 - 1e9*rate_of_the_potential*totCap
}

PROCEDURE finish() {
    vm = 0.001*v
    time_now = t/1000
    advance()
}

PROCEDURE find_currents() {
    LOCAL r0, r2, r22
    r0 = (t/1000)
    r2 = 0
    FROM j1 = 0 TO n_pulseGenerator - 1 {
        if (r0 < 0.005) {
            pulseGenerator_i[j1] = 0
        }
        if ((r0 >= 0.005) && (r0 < 0.015)) {
            pulseGenerator_i[j1] = 3e-10
        }
        if (r0 >= 0.015) {
            pulseGenerator_i[j1] = 0
        }
        r2 = r2 + pulseGenerator_i[j1]
    }
    thresh = (-0.02)
    r22 = 0.01*surfaceArea
    totCap = r22
    rate_of_the_potential = (0 + 0*surfaceArea + r2)/r22
}

PROCEDURE advance() {
    LOCAL r0, r1
    r0 = vm
    r1 = thresh
    if ((r0 > r1) && (spiking < 0.5)) {
        spiking = 1
    }
    if (r0 < r1) {
        spiking = 0
    }
}
