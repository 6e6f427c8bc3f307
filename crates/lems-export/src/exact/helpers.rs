//! Procedures and functions that kernels need and NMODL lacks.

use std::fmt::Write;

use lems_ir::Scheme;

/// Names that no variable may have, because the text of a mechanism uses them.
pub(super) const WORDS: [&str; 24] = [
    "advance",
    "finish",
    "steps_done",
    "find_currents",
    "draw",
    "handler",
    "place",
    "heaviside",
    "ceiling",
    "factorial_of",
    "generator_low",
    "generator_high",
    "largest",
    "factor",
    "halvings",
    "sum",
    "row",
    "column",
    "product",
    "carry",
    "low",
    "high",
    "argument",
    "watches",
];

/// The arrays that the propagation of a scheme works in, with their sizes.
pub(super) fn arrays(number: u32, scheme: &Scheme) -> Vec<(String, usize)> {
    let square = scheme.size * scheme.size;
    vec![
        (format!("occupancy_{number}"), scheme.size),
        (format!("rate_{number}"), 2 * scheme.edges.len()),
        (format!("matrix_{number}"), square),
        (format!("square_{number}"), square),
    ]
}

/// The procedure that advances the occupancies of a scheme by one step: by the exponential of its
/// matrix, which is halved until it is tiny, and squared as often.
pub(super) fn propagate(number: u32, scheme: &Scheme, step: &str) -> String {
    let n = scheme.size;
    let last = (n * n).saturating_sub(1);
    let (end, m) = (n.saturating_sub(1), format!("matrix_{number}"));
    let (square, occupancy, rate) = (
        format!("square_{number}"),
        format!("occupancy_{number}"),
        format!("rate_{number}"),
    );
    let mut text = format!(
        ": The occupancies of a kinetic scheme after a step: the exponential of its matrix.\n\
         PROCEDURE propagate_{number}() {{\n    LOCAL largest, factor, halvings, sum, row, column, product\n    \
         FROM j0 = 0 TO {last} {{\n        {m}[j0] = 0\n    }}\n"
    );
    for (edge, ends) in scheme.edges.iter().enumerate() {
        let (s, g) = (ends.source, ends.target);
        let (forward, reverse) = (
            format!("{rate}[{}]", 2 * edge),
            format!("{rate}[{}]", 2 * edge + 1),
        );
        for (at, sign, by) in [
            (s * n + s, '-', &forward),
            (g * n + s, '+', &forward),
            (g * n + g, '-', &reverse),
            (s * n + g, '+', &reverse),
        ] {
            let _ = writeln!(text, "    {m}[{at}] = {m}[{at}] {sign} {by}");
        }
    }
    let _ = write!(
        text,
        "    largest = 0
    FROM j0 = 0 TO {last} {{
        {m}[j0] = {m}[j0]*{step}
        if (fabs({m}[j0]) > largest) {{
            largest = fabs({m}[j0])
        }}
    }}
    factor = 1
    halvings = 0
    WHILE (largest*factor > 1e-12 && halvings < 1100) {{
        factor = factor*0.5
        halvings = halvings + 1
    }}
    FROM j0 = 0 TO {last} {{
        {m}[j0] = {m}[j0]*factor
    }}
    WHILE (halvings > 0) {{
        FROM j0 = 0 TO {end} {{
            FROM j1 = 0 TO {end} {{
                sum = 0
                FROM j2 = 0 TO {end} {{
                    row = j0*{n} + j2
                    column = j2*{n} + j1
                    sum = sum + {m}[row]*{m}[column]
                }}
                product = j0*{n} + j1
                {square}[product] = sum
            }}
        }}
        FROM j0 = 0 TO {last} {{
            {m}[j0] = ({m}[j0] + {m}[j0]) + {square}[j0]
        }}
        halvings = halvings - 1
    }}
    FROM j0 = 0 TO {end} {{
        row = j0*{n} + j0
        {m}[row] = {m}[row] + 1
    }}
    FROM j0 = 0 TO {end} {{
        sum = 0
        FROM j1 = 0 TO {end} {{
            row = j0*{n} + j1
            sum = sum + {m}[row]*{occupancy}[j1]
        }}
        {square}[j0] = sum
    }}
    FROM j0 = 0 TO {end} {{
        {occupancy}[j0] = {square}[j0]
    }}
}}

"
    );
    text
}

/// The definition of a function of LEMS that NMODL lacks; empty if NMODL has it.
pub(super) fn function(name: &str) -> &'static str {
    match name {
        "heaviside" => {
            ": H of LEMS: 0 below zero, 0.5 at zero, 1 above.
FUNCTION heaviside(argument) {
    if (argument < 0) {
        heaviside = 0
    } else if (argument > 0) {
        heaviside = 1
    } else {
        heaviside = 0.5
    }
}

"
        }
        "ceiling" => {
            "FUNCTION ceiling(argument) {
    ceiling = 0 - floor(0 - argument)
}

"
        }
        "factorial_of" => {
            "FUNCTION factorial_of(argument) {
    LOCAL factor
    factorial_of = 1
    if (argument < 0 || floor(argument) != argument) {
        factorial_of = 1e999 - 1e999
    }
    factor = 2
    WHILE (factor <= argument && factor <= 171) {
        factorial_of = factorial_of*factor
        factor = factor + 1
    }
}

"
        }
        _ => "",
    }
}

/// The next number of java.util.Random, whose state of 48 bits is kept in two halves.
pub(super) const DRAW: &str = ": The next number of java.util.Random: 53 bits of two states.
FUNCTION draw() {
    LOCAL first
    next_state()
    first = generator_high*4 + floor(generator_low/4194304)
    next_state()
    draw = (first*134217728 + (generator_high*8 + floor(generator_low/2097152)))/9007199254740992.0
}

: state = (state*25214903917 + 11) modulo 2^48
PROCEDURE next_state() {
    LOCAL low, high, carry
    low = generator_low*15525485 + 11
    carry = floor(low/16777216)
    high = generator_high*15525485 + generator_low*1502 + carry
    generator_low = low - carry*16777216
    generator_high = high - floor(high/16777216)*16777216
}
";
