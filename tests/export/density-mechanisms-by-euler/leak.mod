: leak: channelDensity of ionChannelPassive, as a density mechanism. Made by jlems-rs.
: Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.

NEURON {
    THREADSAFE
    SUFFIX leak
    NONSPECIFIC_CURRENT i
    RANGE erev, gmax, fopen, gDensity, iDensity
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (um) = (micron)
    (mM) = (milli/liter)
}

PARAMETER {
    erev = -65 (mV)  : erev
    gmax = 0.0001 (S/cm2)  : condDensity
}

ASSIGNED {
    fopen (1)  : ionChannel/fopen
    gDensity (S/cm2)  : gDensity
    iDensity (mA/cm2)  : iDensity
    v (mV)  : potential
    i (mA/cm2)  : current, out of the cell
}

INITIAL {
}

BREAKPOINT {
    current()
    i = -iDensity
}

PROCEDURE current() {
    : ionChannel/fopen = 1, 1
    fopen = 1
    : gDensity = condDensity * channelf, S/cm2
    gDensity = gmax*fopen
    : iDensity = gDensity * (erev - v), mA/cm2
    iDensity = gDensity*(erev - v)
}
