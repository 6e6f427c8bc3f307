: calcium: channelDensityNernst of ionChannelKS, as a density mechanism. Made by jlems-rs.
: Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.

NEURON {
    THREADSAFE
    SUFFIX calcium
    USEION ca READ cai, cao WRITE ica VALENCE 2
    RANGE gmax, m_c_occupancy, m_o_occupancy, m_f_rate_r, m_f_rf, m_f_rr, m_r_rf, m_r_rate_r, m_r_rr, m_c_q, m_o_q, m_q
    RANGE m_fcond, fopen, gDensity, erev, iDensity
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (um) = (micron)
    (mM) = (milli/liter)
}

PARAMETER {
    gmax = 0.0002 (S/cm2)  : condDensity
    m_f_rate_rate = 0.5 (/ms)  : ionChannel/m/f/rate/rate
    m_f_rate_midpoint = -20 (mV)  : ionChannel/m/f/rate/midpoint
    m_f_rate_scale = 10 (mV)  : ionChannel/m/f/rate/scale
    m_f_SEC = 1000 (ms)  : ionChannel/m/f/SEC
    m_r_SEC = 1000 (ms)  : ionChannel/m/r/SEC
    m_r_rate_rate = 0.5 (/ms)  : ionChannel/m/r/rate/rate
    m_r_rate_midpoint = -20 (mV)  : ionChannel/m/r/rate/midpoint
    m_r_rate_scale = -10 (mV)  : ionChannel/m/r/rate/scale
    m_c_relativeConductance = 0 (1)  : ionChannel/m/c/relativeConductance
    m_o_relativeConductance = 1 (1)  : ionChannel/m/o/relativeConductance
    m_instances = 1 (1)  : ionChannel/m/instances
    R_ = 8314.46261815324 (mV-mA-ms/mM/cm3/K)  : R
    zCa = 2 (1)  : zCa
    F = 96485.33212331 (mA-ms/mM/cm3)  : F
}

STATE {
    m_c_occupancy (1)  : ionChannel/m/c/occupancy
    m_o_occupancy (1)  : ionChannel/m/o/occupancy
}

ASSIGNED {
    m_f_rate_r (/ms)  : ionChannel/m/f/rate/r
    m_f_rf (/ms)  : ionChannel/m/f/rf
    m_f_rr (/ms)  : ionChannel/m/f/rr
    m_r_rf (/ms)  : ionChannel/m/r/rf
    m_r_rate_r (/ms)  : ionChannel/m/r/rate/r
    m_r_rr (/ms)  : ionChannel/m/r/rr
    m_c_q (1)  : ionChannel/m/c/q
    m_o_q (1)  : ionChannel/m/o/q
    m_q (1)  : ionChannel/m/q
    m_fcond (1)  : ionChannel/m/fcond
    fopen (1)  : ionChannel/fopen
    gDensity (S/cm2)  : gDensity
    erev (mV)  : erev
    iDensity (mA/cm2)  : iDensity
    v (mV)  : potential
    celsius (degC)  : temperature
    cai (mM)  : concentration inside
    cao (mM)  : concentration outside
    ica (mA/cm2)  : current of the ion, out of the cell
}

INITIAL {
    m_c_occupancy = 0
    m_o_occupancy = 0
    rates()
    SOLVE scheme STEADYSTATE sparse
}

BREAKPOINT {
    SOLVE scheme METHOD sparse
    current()
    ica = -iDensity
}

KINETIC scheme {
    rates()
    ~ m_c_occupancy <-> m_o_occupancy (m_f_rf, m_f_rr)
    ~ m_c_occupancy <-> m_o_occupancy (m_r_rf, m_r_rr)
    CONSERVE m_c_occupancy + m_o_occupancy = 1
}

PROCEDURE rates() {
    : ionChannel/m/f/rate/r = rate * exp((v - midpoint) / scale), /ms
    m_f_rate_r = m_f_rate_rate*exp((v - m_f_rate_midpoint)/m_f_rate_scale)
    : ionChannel/m/f/rf = rf0, /ms
    m_f_rf = m_f_rate_r
    : ionChannel/m/f/rr = 0 / SEC, /ms
    m_f_rr = 0/m_f_SEC
    : ionChannel/m/r/rf = 0 / SEC, /ms
    m_r_rf = 0/m_r_SEC
    : ionChannel/m/r/rate/r = rate * exp((v - midpoint) / scale), /ms
    m_r_rate_r = m_r_rate_rate*exp((v - m_r_rate_midpoint)/m_r_rate_scale)
    : ionChannel/m/r/rr = rr0, /ms
    m_r_rr = m_r_rate_r
    : ionChannel/m/c/q = relativeConductance * occupancy, 1
    m_c_q = m_c_relativeConductance*m_c_occupancy
    : ionChannel/m/o/q = relativeConductance * occupancy, 1
    m_o_q = m_o_relativeConductance*m_o_occupancy
    : ionChannel/m/q = sum of states[*]/q, 1
    m_q = m_c_q + m_o_q
    : ionChannel/m/fcond = q^instances, 1
    m_fcond = m_q^m_instances
}

PROCEDURE current() {
    : ionChannel/fopen = gates[*]/fcond, 1
    fopen = m_fcond
    : gDensity, S/cm2
    gDensity = 0
    if (cao > 0) {
        : condDensity * channelf if caConcExt .gt. 0
        gDensity = gmax*fopen
    } else if (cao <= 0) {
        : 0 if caConcExt .leq. 0
        gDensity = 0
    }
    : erev, mV
    erev = 0
    if (cao > 0) {
        : (R * temperature / (zCa * F)) * log(caConcExt / caConc) if caConcExt .gt. 0
        erev = R_*((celsius + 273.15)/(zCa*F))*log(cao/cai)
    } else if (cao <= 0) {
        : 0 if caConcExt .leq. 0
        erev = 0
    }
    : iDensity, mA/cm2
    iDensity = 0
    if (cao > 0) {
        : gDensity * (erev - v) if caConcExt .gt. 0
        iDensity = gDensity*(erev - v)
    } else if (cao <= 0) {
        : 0 if caConcExt .leq. 0
        iDensity = 0
    }
}
