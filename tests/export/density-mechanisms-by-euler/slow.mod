: slow: channelDensity of ionChannelHH, as a density mechanism. Made by jlems-rs.
: Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.

NEURON {
    THREADSAFE
    SUFFIX slow
    USEION k WRITE ik VALENCE 1
    RANGE erev, gmax, s_q, conductanceScale, s_fcond, fopen0, fopen, gDensity, iDensity, rate_of_s_q
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (um) = (micron)
    (mM) = (milli/liter)
}

PARAMETER {
    erev = -77 (mV)  : erev
    gmax = 0.0001 (S/cm2)  : condDensity
    s_rate = 0.1 (/ms)  : ionChannel/s/rate
    s_instances = 1 (1)  : ionChannel/s/instances
}

STATE {
    s_q (1)  : ionChannel/s/q
}

ASSIGNED {
    conductanceScale (1)  : ionChannel/conductanceScale
    s_fcond (1)  : ionChannel/s/fcond
    fopen0 (1)  : ionChannel/fopen0
    fopen (1)  : ionChannel/fopen
    gDensity (S/cm2)  : gDensity
    iDensity (mA/cm2)  : iDensity
    rate_of_s_q (/ms)  : rate of ionChannel/s/q
    v (mV)  : potential
    ik (mA/cm2)  : current of the ion, out of the cell
}

INITIAL {
    s_q = 0
    rates()
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    current()
    ik = -iDensity
}

DERIVATIVE states {
    rates()
    s_q' = rate_of_s_q
}

PROCEDURE rates() {
    : ionChannel/s/fcond = q^instances, 1
    s_fcond = s_q^s_instances
    : d ionChannel/s/q/dt = rate * (0.5 - q*q), /ms
    rate_of_s_q = s_rate*(0.5 - s_q*s_q)
}

PROCEDURE current() {
    : ionChannel/conductanceScale = product of conductanceScaling[*]/factor, 1
    conductanceScale = 1
    : ionChannel/fopen0 = gates[*]/fcond, 1
    fopen0 = s_fcond
    : ionChannel/fopen = conductanceScale * fopen0, 1
    fopen = conductanceScale*fopen0
    : gDensity = condDensity * channelf, S/cm2
    gDensity = gmax*fopen
    : iDensity = gDensity * (erev - v), mA/cm2
    iDensity = gDensity*(erev - v)
}
