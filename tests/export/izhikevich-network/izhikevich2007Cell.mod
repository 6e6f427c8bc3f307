: izhikevich2007Cell, computed step by step as jLEMS does: SI units, its order of operations.
: Made by jlems-rs. It is not attached to the potential of its section.

NEURON {
    THREADSAFE
    POINT_PROCESS izhikevich2007Cell
    RANGE time_step, time_now, expOneSynapse_g, expOneSynapse_gbase, pulseGenerator_i, vm, vm_start
    RANGE expOneSynapse_erev, expOneSynapse_tauDecay, pulseGenerator_delay, pulseGenerator_amplitude
    RANGE k_, vr, vt, u, C, a, b, vpeak, c, d, n_expOneSynapse, n_pulseGenerator, sent, watches
}

PARAMETER {
    time_step = 0.0001  : length of a step (s)
    watches = 1         : 1 if WATCH finds events to be sent, 0 if a connection does
}

ASSIGNED {
    time_now                     : time at the end of the step (s)
    expOneSynapse_g[4]           : expOneSynapse/g
    expOneSynapse_gbase[4]       : expOneSynapse/gbase
    pulseGenerator_i[1]          : pulseGenerator/i
    vm_start                     : izhikevich2007Cell/v, at the start
    vm                           : izhikevich2007Cell/v
    expOneSynapse_erev[4]        : expOneSynapse/erev
    expOneSynapse_tauDecay[4]    : expOneSynapse/tauDecay
    pulseGenerator_delay[1]      : pulseGenerator/delay
    pulseGenerator_amplitude[1]  : pulseGenerator/amplitude
    k_                           : izhikevich2007Cell/k
    vr                           : izhikevich2007Cell/vr
    vt                           : izhikevich2007Cell/vt
    u                            : izhikevich2007Cell/u
    C                            : izhikevich2007Cell/C
    a                            : izhikevich2007Cell/a
    b                            : izhikevich2007Cell/b
    vpeak                        : izhikevich2007Cell/vpeak
    c                            : izhikevich2007Cell/c
    d                            : izhikevich2007Cell/d
    n_expOneSynapse              : what is attached
    n_pulseGenerator             : what is attached
    sent                         : events to be sent
}

INITIAL {
    time_now = 0
    vm = vm_start
    u = 0
    sent = 0
    FROM j0 = 0 TO 3 {
        expOneSynapse_g[j0] = 0
    }
    FROM j0 = 0 TO 0 {
        pulseGenerator_i[j0] = 0
    }
    if (watches > 0.5) {
        net_send(0, 1)
    }
}

BREAKPOINT {
    SOLVE advance METHOD after_cvode
}

PROCEDURE advance() {
    LOCAL r1, r4, r20, r31, r34, r35, r50, r52
    time_now = time_now + time_step
    r1 = 0
    FROM j1 = 0 TO n_expOneSynapse - 1 {
        r4 = expOneSynapse_g[j1]
        expOneSynapse_g[j1] = r4 + time_step*(0 - r4/expOneSynapse_tauDecay[j1])
        r1 = r1 + r4*(expOneSynapse_erev[j1] - vm)
    }
    FROM j1 = 0 TO n_pulseGenerator - 1 {
        if (time_now < pulseGenerator_delay[j1]) {
            pulseGenerator_i[j1] = 0
        }
        r20 = 9.7 + pulseGenerator_delay[j1]
        if ((time_now >= pulseGenerator_delay[j1]) && (time_now < r20)) {
            pulseGenerator_i[j1] = pulseGenerator_amplitude[j1]
        }
        if (time_now >= r20) {
            pulseGenerator_i[j1] = 0
        }
        r1 = r1 + pulseGenerator_i[j1]
    }
    r31 = vm
    r34 = u
    r35 = r31 - vr
    r50 = r31 + time_step*((k_*r35*(r31 - vt) + (r1 - r34))/C)
    vm = r50
    r52 = r34 + time_step*(a*(b*r35 - r34))
    u = r52
    if (r50 > vpeak) {
        vm = c
        u = r52 + d
        sent = sent + 1
    }
}

: expOneSynapse on in
PROCEDURE handle_0(j0) {
    expOneSynapse_g[j0] = expOneSynapse_g[j0] + expOneSynapse_gbase[j0]
}

: Events come with the number of a handler and the place of what is attached.
NET_RECEIVE(handler, place) {
    INITIAL {
    }
    if (flag == 1) {
        WATCH (sent > 0.5) 2
    } else if ((flag == 2) || (handler == -1)) {
        if (sent > 0.5) {
            WHILE (sent > 0.5) {
                sent = sent - 1
                net_event(t)
            }
            if (watches > 0.5) {
                WATCH (sent > 0.5) 2
            } else {
                net_send(dt, 2)
            }
        }
    } else if (handler == 0) {
        handle_0(place)
    }
}
