: The state of java.util.Random, 48 bits in two halves, which all mechanisms share.
: Made by jlems-rs.

NEURON {
    POINT_PROCESS Generator
    RANGE low, high, low_start, high_start
}

PARAMETER {
    low_start = 0   : at the start of a run
    high_start = 0
}

ASSIGNED {
    low
    high
}

INITIAL {
    low = low_start
    high = high_start
}
