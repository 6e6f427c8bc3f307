: pool: species of decayingPoolConcentrationModel, as a density mechanism. Made by jlems-rs.
: Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.

NEURON {
    THREADSAFE
    SUFFIX pool
    USEION ca READ ica WRITE cai, cao VALENCE 2
    RANGE initialConcentration, initialExtConcentration, concentration, effectiveRadius, innerRadius, shellVolume
    RANGE extConcentration, rate_of_concentration
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (um) = (micron)
    (mM) = (milli/liter)
}

PARAMETER {
    initialConcentration = 0.0001 (mM)  : initialConcentration
    initialExtConcentration = 2 (mM)  : initialExtConcentration
    Faraday_ = 96485.3 (mA-ms/mM/cm3)  : concentrationModel/Faraday
    LENGTH_SCALE = 100 (cm)  : concentrationModel/LENGTH_SCALE
    AREA_SCALE = 10000 (cm2)  : concentrationModel/AREA_SCALE
    shellThickness = 2e-5 (cm)  : concentrationModel/shellThickness
    restingConc = 0.0001 (mM)  : concentrationModel/restingConc
    decayConstant = 20 (ms)  : concentrationModel/decayConstant
}

STATE {
    concentration (mM)  : concentrationModel/concentration
    extConcentration (mM)  : concentrationModel/extConcentration
}

ASSIGNED {
    effectiveRadius (cm)  : concentrationModel/effectiveRadius
    innerRadius (cm)  : concentrationModel/innerRadius
    shellVolume (cm3)  : concentrationModel/shellVolume
    rate_of_concentration (mM/ms)  : rate of concentrationModel/concentration
    v (mV)  : potential
    area (um2)  : membrane area
    cai (mM)  : concentration inside
    cao (mM)  : concentration outside
    ica (mA/cm2)  : current of the ion, out of the cell
}

INITIAL {
    concentration = 0
    extConcentration = 0
    rates()
    : concentrationModel/concentration := initialConcentration
    concentration = initialConcentration
    : concentrationModel/extConcentration := initialExtConcentration
    extConcentration = initialExtConcentration
    cai = concentration
    cao = extConcentration
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    SOLVE update METHOD after_cvode
}

DERIVATIVE states {
    rates()
    concentration' = rate_of_concentration
}

PROCEDURE update() {
    : if concentration .lt. 0
    if (concentration < 0) {
        concentration = 0
    }
    cai = concentration
    cao = extConcentration
}

PROCEDURE rates() {
    : concentrationModel/effectiveRadius = LENGTH_SCALE * sqrt(surfaceArea / (AREA_SCALE * (4 * 3.14159))), cm
    effectiveRadius = LENGTH_SCALE*sqrt((1e-8*area)/(AREA_SCALE*(4*3.14159)))
    : concentrationModel/innerRadius = effectiveRadius - shellThickness, cm
    innerRadius = effectiveRadius - shellThickness
    : concentrationModel/shellVolume = (4 * (effectiveRadius * effectiveRadius * effectiveRadius) * 3.14159 / 3) - (4 * (innerRadius * innerRadius * innerRadius) * 3.14159 / 3), cm3
    shellVolume = 4*(effectiveRadius*effectiveRadius*effectiveRadius)*(3.14159/3) -
            4*(innerRadius*innerRadius*innerRadius)*(3.14159/3)
    : d concentrationModel/concentration/dt = iCa / (2 * Faraday * shellVolume) - ((concentration - restingConc) / decayConstant), mM/ms
    rate_of_concentration = (-1e-8*area*ica)/(2*Faraday_*shellVolume) - (concentration - restingConc)/decayConstant
}
