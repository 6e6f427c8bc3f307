: cell, computed step by step as jLEMS does: SI units, its order of operations.
: Made by jlems-rs. It is not attached to the potential of its section.

NEURON {
    THREADSAFE
    POINT_PROCESS cell
    NONSPECIFIC_CURRENT i
    RANGE time_step, time_now, steps_done, pulseGenerator_i, thresh, surfaceArea, totCap
    RANGE totCap_start, rate_of_the_potential, vm, derivative_of_that_rate_by_the_potential, spiking
    RANGE n_pulseGenerator
}

PARAMETER {
    time_step = 1e-5  : length of a step (s)
}

ASSIGNED {
    time_now                                  : time at the end of the step (s)
    steps_done                                : number of steps
    pulseGenerator_i[1]                       : pulseGenerator/i
    thresh                                    : cell/thresh
    surfaceArea                               : cell/surfaceArea
    totCap_start                              : cell/totCap, at the start
    totCap                                    : cell/totCap
    rate_of_the_potential                     : cell/rate of the potential
    vm                                        : cell/v
    derivative_of_that_rate_by_the_potential  : cell/derivative of that rate by the potential
    spiking                                   : cell/spiking
    n_pulseGenerator                          : what is attached
    v (mV)                                    : potential
    i (nA)                                    : current through the membrane, without that into its capacitance
}

INITIAL {
    time_now = 0
    steps_done = 0
    thresh = (-0.02)
    totCap = totCap_start
    rate_of_the_potential = 0
    vm = (-0.065)
    derivative_of_that_rate_by_the_potential = 0
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
    steps_done = steps_done + 1
    time_now = steps_done*time_step
    advance_1()
    advance_2()
}

PROCEDURE find_currents() {
    LOCAL r2, r12
    r2 = 0
    FROM j1 = 0 TO n_pulseGenerator - 1 {
        r2 = r2 + pulseGenerator_i[j1]
    }
    thresh = (-0.02)
    r12 = 0.01*surfaceArea
    totCap = r12
    rate_of_the_potential = (0 + 0*surfaceArea + r2)/r12
    derivative_of_that_rate_by_the_potential = 0
}

PROCEDURE advance_1() {
    FROM j1 = 0 TO n_pulseGenerator - 1 {
        if (time_now < 0.005) {
            pulseGenerator_i[j1] = 0
        }
        if ((time_now >= 0.005) && (time_now < 0.015)) {
            pulseGenerator_i[j1] = 3e-10
        }
        if (time_now >= 0.015) {
            pulseGenerator_i[j1] = 0
        }
    }
}

PROCEDURE advance_2() {
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
