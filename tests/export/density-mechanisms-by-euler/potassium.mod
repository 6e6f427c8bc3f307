: potassium: channelDensity of ionChannelHH, as a density mechanism. Made by jlems-rs.
: Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.

NEURON {
    THREADSAFE
    SUFFIX potassium
    USEION k WRITE ik VALENCE 1
    RANGE erev, gmax, n_q, n_forwardRate_x, n_forwardRate_r, n_reverseRate_r, n_inf, n_rateScale, n_tau, conductanceScale
    RANGE n_fcond, fopen0, fopen, gDensity, iDensity, rate_of_n_q
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
    gmax = 0.036 (S/cm2)  : condDensity
    n_forwardRate_midpoint = -55 (mV)  : ionChannel/n/forwardRate/midpoint
    n_forwardRate_scale = 10 (mV)  : ionChannel/n/forwardRate/scale
    n_forwardRate_rate = 0.1 (/ms)  : ionChannel/n/forwardRate/rate
    n_reverseRate_rate = 0.125 (/ms)  : ionChannel/n/reverseRate/rate
    n_reverseRate_midpoint = -65 (mV)  : ionChannel/n/reverseRate/midpoint
    n_reverseRate_scale = -80 (mV)  : ionChannel/n/reverseRate/scale
    n_instances = 4 (1)  : ionChannel/n/instances
}

STATE {
    n_q (1)  : ionChannel/n/q
}

ASSIGNED {
    n_forwardRate_x (1)  : ionChannel/n/forwardRate/x
    n_forwardRate_r (/ms)  : ionChannel/n/forwardRate/r
    n_reverseRate_r (/ms)  : ionChannel/n/reverseRate/r
    n_inf (1)  : ionChannel/n/inf
    n_rateScale (1)  : ionChannel/n/rateScale
    n_tau (ms)  : ionChannel/n/tau
    conductanceScale (1)  : ionChannel/conductanceScale
    n_fcond (1)  : ionChannel/n/fcond
    fopen0 (1)  : ionChannel/fopen0
    fopen (1)  : ionChannel/fopen
    gDensity (S/cm2)  : gDensity
    iDensity (mA/cm2)  : iDensity
    rate_of_n_q (/ms)  : rate of ionChannel/n/q
    v (mV)  : potential
    ik (mA/cm2)  : current of the ion, out of the cell
}

INITIAL {
    n_q = 0
    rates()
    : ionChannel/n/q := inf
    n_q = n_inf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    current()
    ik = -iDensity
}

DERIVATIVE states {
    rates()
    n_q' = rate_of_n_q
}

PROCEDURE rates() {
    : ionChannel/n/forwardRate/x = (v - midpoint) / scale, 1
    n_forwardRate_x = (v - n_forwardRate_midpoint)/n_forwardRate_scale
    : ionChannel/n/forwardRate/r, /ms
    n_forwardRate_r = 0
    if (n_forwardRate_x != 0) {
        : rate * x / (1 - exp(0 - x)) if x .neq. 0
        n_forwardRate_r = n_forwardRate_rate*(n_forwardRate_x/(1 - exp(-n_forwardRate_x)))
    } else if (n_forwardRate_x == 0) {
        : rate if x .eq. 0
        n_forwardRate_r = n_forwardRate_rate
    }
    : ionChannel/n/reverseRate/r = rate * exp((v - midpoint) / scale), /ms
    n_reverseRate_r = n_reverseRate_rate*exp((v - n_reverseRate_midpoint)/n_reverseRate_scale)
    : ionChannel/n/inf = alpha / (alpha + beta), 1
    n_inf = n_forwardRate_r/(n_forwardRate_r + n_reverseRate_r)
    : ionChannel/n/rateScale = product of q10Settings[*]/q10, 1
    n_rateScale = 1
    : ionChannel/n/tau = 1 / ((alpha + beta) * rateScale), ms
    n_tau = 1/((n_forwardRate_r + n_reverseRate_r)*n_rateScale)
    : ionChannel/n/fcond = q^instances, 1
    n_fcond = n_q^n_instances
    : d ionChannel/n/q/dt = (inf - q) / tau, /ms
    rate_of_n_q = (n_inf - n_q)/n_tau
}

PROCEDURE current() {
    : ionChannel/conductanceScale = product of conductanceScaling[*]/factor, 1
    conductanceScale = 1
    : ionChannel/fopen0 = gates[*]/fcond, 1
    fopen0 = n_fcond
    : ionChannel/fopen = conductanceScale * fopen0, 1
    fopen = conductanceScale*fopen0
    : gDensity = condDensity * channelf, S/cm2
    gDensity = gmax*fopen
    : iDensity = gDensity * (erev - v), mA/cm2
    iDensity = gDensity*(erev - v)
}
