: pointCellCondBased, computed step by step as jLEMS does: SI units, its order of operations.
: Made by jlems-rs. It is not attached to the potential of its section.

NEURON {
    THREADSAFE
    POINT_PROCESS pointCellCondBased
    RANGE time_step, time_now, vm, channelPopulation_ionChannelHH_v
    RANGE channelPopulation_ionChannelHH_gateHHrates_q
    RANGE channelPopulation_ionChannelHH_gateHHrates_q_2, channelPopulation_v
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy_2
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_2
    RANGE channelPopulation_ionChannelKS_gateKS_openState_occupancy
    RANGE channelPopulation_ionChannelKS_gateKS_openState_occupancy_exposed
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy_3
    RANGE channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_3
    RANGE channelPopulation_ionChannelKS_v, channelPopulation_v_2, pulseGenerator_i, spiking
    RANGE n_pulseGenerator, sent, watches, occupancy_0, rate_0, matrix_0, square_0
}

PARAMETER {
    time_step = 1e-5  : length of a step (s)
    watches = 1       : 1 if WATCH finds events to be sent, 0 if a connection does
}

ASSIGNED {
    time_now                                  : time at the end of the step (s)
    vm                                        : pointCellCondBased/v
    channelPopulation_ionChannelHH_v          : pointCellCondBased/channelPopulation/ionChannelHH/v
    channelPopulation_ionChannelHH_gateHHrates_q  : pointCellCondBased/channelPopulation/ionChannelHH/gateHHrates/q
    channelPopulation_ionChannelHH_gateHHrates_q_2  : pointCellCondBased/channelPopulation/ionChannelHH/gateHHrates/q
    channelPopulation_v                       : pointCellCondBased/channelPopulation/v
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy (exposed)
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_2  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_2  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy (exposed)
    channelPopulation_ionChannelKS_gateKS_openState_occupancy  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/openState/occupancy
    channelPopulation_ionChannelKS_gateKS_openState_occupancy_exposed  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/openState/occupancy (exposed)
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_3  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_3  : pointCellCondBased/channelPopulation/ionChannelKS/gateKS/closedState/occupancy (exposed)
    channelPopulation_ionChannelKS_v          : pointCellCondBased/channelPopulation/ionChannelKS/v
    channelPopulation_v_2                     : pointCellCondBased/channelPopulation/v
    pulseGenerator_i[1]                       : pulseGenerator/i
    spiking                                   : pointCellCondBased/spiking
    n_pulseGenerator                          : what is attached
    sent                                      : events to be sent
    occupancy_0[4]                            : of a kinetic scheme
    rate_0[10]                                : of a kinetic scheme
    matrix_0[16]                              : of a kinetic scheme
    square_0[16]                              : of a kinetic scheme
}

INITIAL {
    time_now = 0
    vm = (-0.065)
    channelPopulation_ionChannelHH_v = (-0.065)
    channelPopulation_ionChannelHH_gateHHrates_q = 0.05293248525724957
    channelPopulation_ionChannelHH_gateHHrates_q_2 = 0.5961207535084602
    channelPopulation_v = (-0.065)
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy = 1
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed = 1
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_2 = 0
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_2 = 0
    channelPopulation_ionChannelKS_gateKS_openState_occupancy = 0
    channelPopulation_ionChannelKS_gateKS_openState_occupancy_exposed = 0
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_3 = 0
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_3 = 0
    channelPopulation_ionChannelKS_v = (-0.065)
    channelPopulation_v_2 = (-0.065)
    spiking = 0
    sent = 0
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
    LOCAL r4, r9, r10, r14, r16, r26, r30, r34, r37, r49, r58, r59, r73, r74, r75, r76, r77, r78,
        r79, r80, r81, r83, r84, r85, r92, r98, r99, r114, r127, r128, r129, r130, r141, r142,
        r161
    time_now = time_now + time_step
    r4 = vm
    r10 = channelPopulation_ionChannelHH_v
    r14 = (r10 - (-0.04))/0.01
    r16 = 0
    r9 = 3e-9*((-0.054387000000000005) - r4)
    if (r14 != 0) {
        r16 = 1000*(r14/(1 - exp(0 - r14)))
    } else {
        if (r14 == 0) {
            r16 = 1000
        }
    }
    r26 = r16
    r30 = r10 - (-0.065)
    r34 = channelPopulation_ionChannelHH_gateHHrates_q
    r37 = r26 + 4000*exp(r30/(-0.018000000000000002))
    channelPopulation_ionChannelHH_gateHHrates_q = r34 + time_step*((r26/r37 - r34)/(1/r37))
    r49 = 70*exp(r30/(-0.02))
    r58 = channelPopulation_ionChannelHH_gateHHrates_q_2
    r59 = r49 + 1000/(1 + exp(0 - (r10 - (-0.035))/0.01))
    channelPopulation_ionChannelHH_gateHHrates_q_2 = r58 + time_step*((r49/r59 - r58)/(1/r59))
    channelPopulation_ionChannelHH_v = channelPopulation_v
    channelPopulation_v = r4
    r74 = channelPopulation_ionChannelKS_gateKS_closedState_occupancy
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed = r74
    r76 = channelPopulation_ionChannelKS_gateKS_closedState_occupancy_2
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_2 = r76
    r78 = channelPopulation_ionChannelKS_gateKS_openState_occupancy
    channelPopulation_ionChannelKS_gateKS_openState_occupancy_exposed = r78
    r79 = channelPopulation_ionChannelKS_gateKS_closedState_occupancy_3
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_exposed_3 = r79
    r81 = channelPopulation_ionChannelKS_v
    r83 = (r81 - (-0.035))/0.01
    r84 = 0
    r85 = r83 != 0
    r73 = 1e-11*(pow(r34, 3)*r58)*120000*(0.05 - r4)
    r75 = 0*r74
    r77 = 0*r76
    r80 = 0*r79
    if (r85) {
        r84 = 300*(r83/(1 - exp(0 - r83)))
    } else {
        if (r83 == 0) {
            r84 = 300
        }
    }
    r98 = 400*exp((r81 - (-0.06))/(-0.04))
    r99 = 0
    r92 = r84
    if (r85) {
        r99 = 300*(r83/(1 - exp(0 - r83)))
    } else {
        if (r83 == 0) {
            r99 = 300
        }
    }
    r114 = 0.4*((r81 - (-0.02))/0.0253)
    occupancy_0[0] = r74
    occupancy_0[1] = r76
    occupancy_0[2] = r78
    occupancy_0[3] = r79
    rate_0[0] = r92
    rate_0[1] = 0
    rate_0[2] = 0
    rate_0[3] = r98
    rate_0[4] = r99
    rate_0[5] = 0
    rate_0[6] = 0
    rate_0[7] = r98
    rate_0[8] = 1/(1/(exp(r114)/0.06) + 0.005)
    rate_0[9] = 1/(1/(exp(0 - r114)/0.06) + 0.005)
    propagate_0()
    r127 = occupancy_0[0]
    r128 = occupancy_0[1]
    r129 = occupancy_0[2]
    r130 = occupancy_0[3]
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy = r127
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_2 = r128
    channelPopulation_ionChannelKS_gateKS_openState_occupancy = r129
    channelPopulation_ionChannelKS_gateKS_closedState_occupancy_3 = r130
    channelPopulation_ionChannelKS_v = channelPopulation_v_2
    channelPopulation_v_2 = r4
    r142 = 0
    r141 = (0 + r75 + r77 + r78 + r80)*1e-11*36000*((-0.077) - r4)
    FROM j1 = 0 TO n_pulseGenerator - 1 {
        if (time_now < 0.02) {
            pulseGenerator_i[j1] = 0
        }
        if ((time_now >= 0.02) && (time_now < 0.18)) {
            pulseGenerator_i[j1] = 1.5e-10
        }
        if (time_now >= 0.18) {
            pulseGenerator_i[j1] = 0
        }
        r142 = r142 + pulseGenerator_i[j1]
    }
    r161 = r4 + time_step*((0 + r9 + r73 + r141 + r142)/1e-11)
    vm = r161
    if ((r161 > 0) && (spiking < 0.5)) {
        spiking = 1
        sent = sent + 1
    }
    if (r161 < 0) {
        spiking = 0
    }
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
    }
}

: The occupancies of a kinetic scheme after a step: the exponential of its matrix.
PROCEDURE propagate_0() {
    LOCAL largest, factor, halvings, sum, row, column, product
    FROM j0 = 0 TO 15 {
        matrix_0[j0] = 0
    }
    matrix_0[0] = matrix_0[0] - rate_0[0]
    matrix_0[4] = matrix_0[4] + rate_0[0]
    matrix_0[5] = matrix_0[5] - rate_0[1]
    matrix_0[1] = matrix_0[1] + rate_0[1]
    matrix_0[0] = matrix_0[0] - rate_0[2]
    matrix_0[4] = matrix_0[4] + rate_0[2]
    matrix_0[5] = matrix_0[5] - rate_0[3]
    matrix_0[1] = matrix_0[1] + rate_0[3]
    matrix_0[5] = matrix_0[5] - rate_0[4]
    matrix_0[9] = matrix_0[9] + rate_0[4]
    matrix_0[10] = matrix_0[10] - rate_0[5]
    matrix_0[6] = matrix_0[6] + rate_0[5]
    matrix_0[5] = matrix_0[5] - rate_0[6]
    matrix_0[9] = matrix_0[9] + rate_0[6]
    matrix_0[10] = matrix_0[10] - rate_0[7]
    matrix_0[6] = matrix_0[6] + rate_0[7]
    matrix_0[10] = matrix_0[10] - rate_0[8]
    matrix_0[14] = matrix_0[14] + rate_0[8]
    matrix_0[15] = matrix_0[15] - rate_0[9]
    matrix_0[11] = matrix_0[11] + rate_0[9]
    largest = 0
    FROM j0 = 0 TO 15 {
        matrix_0[j0] = matrix_0[j0]*time_step
        if (fabs(matrix_0[j0]) > largest) {
            largest = fabs(matrix_0[j0])
        }
    }
    factor = 1
    halvings = 0
    WHILE (largest*factor > 1e-12 && halvings < 1100) {
        factor = factor*0.5
        halvings = halvings + 1
    }
    FROM j0 = 0 TO 15 {
        matrix_0[j0] = matrix_0[j0]*factor
    }
    WHILE (halvings > 0) {
        FROM j0 = 0 TO 3 {
            FROM j1 = 0 TO 3 {
                sum = 0
                FROM j2 = 0 TO 3 {
                    row = j0*4 + j2
                    column = j2*4 + j1
                    sum = sum + matrix_0[row]*matrix_0[column]
                }
                product = j0*4 + j1
                square_0[product] = sum
            }
        }
        FROM j0 = 0 TO 15 {
            matrix_0[j0] = (matrix_0[j0] + matrix_0[j0]) + square_0[j0]
        }
        halvings = halvings - 1
    }
    FROM j0 = 0 TO 3 {
        row = j0*4 + j0
        matrix_0[row] = matrix_0[row] + 1
    }
    FROM j0 = 0 TO 3 {
        sum = 0
        FROM j1 = 0 TO 3 {
            row = j0*4 + j1
            sum = sum + matrix_0[row]*occupancy_0[j1]
        }
        square_0[j0] = sum
    }
    FROM j0 = 0 TO 3 {
        occupancy_0[j0] = square_0[j0]
    }
}
