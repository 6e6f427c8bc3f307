//! Compares the functions with Java's `StrictMath` on the same arguments. `StrictMathGoldens.java`
//! wrote the results of Java to `strict_math.txt`.

#![allow(clippy::unwrap_used)]

use lems_math::{JavaRandom, cos, cosh, exp, java_round, log, pow, sin, sinh, tan, tanh};

const BLOCK: usize = 10_000;
const GOLDENS: &str = include_str!("strict_math.txt");

const LN2: f64 = f64::from_bits(0x3FE6_2E42_FEFA_39EF);
const PI_4: f64 = f64::from_bits(0x3FE9_21FB_5444_2D18);
const TWO_M53: f64 = 1.0 / (1_u64 << 53) as f64;

const BORDERS: [f64; 40] = [
    0.0,
    f64::from_bits(1),
    f64::MIN_POSITIVE,
    f64::from_bits((1023 - 55) << 52),
    f64::from_bits((1023 - 54) << 52),
    f64::from_bits((1023 - 28) << 52),
    f64::from_bits((1023 - 27) << 52),
    f64::from_bits((1023 - 20) << 52),
    0.25,
    0.3,
    0.5 * LN2,
    0.5,
    f64::from_bits(0x3FE5_9428_0000_0000),
    LN2,
    PI_4,
    0.78125,
    1.0,
    1.5 * LN2,
    f64::from_bits(0x3FF6_A09E_667F_3BCD),
    2.0 * PI_4,
    2.0,
    f64::from_bits(0x4002_D97C_7F33_21D2),
    4.0 * PI_4,
    10.0,
    22.0,
    f64::from_bits(0x4043_6800_0000_0000),
    170.0,
    f64::from_bits(0x4129_21FB_5444_2D18),
    2_147_483_648.0,
    4_503_599_627_370_496.0,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    f64::from_bits(0x4086_232B_DD7A_BCD2),
    f64::from_bits(0x4086_2E42_FEFA_39EF),
    f64::from_bits(0x4086_33CE_8FB9_F87D),
    f64::from_bits(0x4087_4385_446D_71C3),
    f64::from_bits(0x4087_4910_D52D_3051),
    f64::MAX,
    f64::INFINITY,
    f64::NAN,
];

/// The generator of arguments; the Java program has the same one.
struct Arguments {
    state: u64,
}

impl Arguments {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next argument: from a range, any bits, near a threshold, near a multiple of pi/2, or short.
    fn argument(&mut self, ranges: &[f64]) -> f64 {
        let choice = self.next();
        let bits = self.next();
        let detail = (choice >> 8 & 0xFF) as usize;
        let sign = if choice & 8 == 0 { 1.0 } else { -1.0 };
        let fraction = (bits >> 11) as f64 * TWO_M53;
        match choice & 7 {
            0..=2 => sign * ranges[detail % ranges.len()] * fraction,
            3 => f64::from_bits(bits),
            4 => {
                let border = BORDERS[detail % BORDERS.len()].to_bits();
                let offset = bits.cast_signed() >> (12 + (choice >> 16) % 52);
                sign * f64::from_bits(border.wrapping_add_signed(offset))
            }
            5 => {
                let multiple = (bits >> (24 + detail % 40)) as f64 * (2.0 * PI_4);
                let near = multiple
                    .to_bits()
                    .wrapping_add((choice >> 16) % 5)
                    .wrapping_sub(2);
                sign * f64::from_bits(near)
            }
            6 => {
                let power = 1023 - (choice >> 16) % 60;
                sign * (bits >> (34 + detail % 30)) as f64 * f64::from_bits(power << 52)
            }
            _ => sign * BORDERS[detail % BORDERS.len()] * fraction,
        }
    }
}

fn canonical(x: f64) -> u64 {
    if x.is_nan() {
        0x7FF8_0000_0000_0000
    } else {
        x.to_bits()
    }
}

/// Compares a function with all golden results for its name.
fn compare(name: &str, function: impl Fn(f64, f64) -> f64, ranges: &[f64], second_ranges: &[f64]) {
    let mut single_values = 0;
    for line in GOLDENS.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if fields[0] == name && fields[1] == "value" {
            let bits = |field: usize| u64::from_str_radix(fields[field], 16).unwrap();
            let (x, y) = (f64::from_bits(bits(2)), f64::from_bits(bits(3)));
            let result = function(x, y);
            assert_eq!(
                canonical(result),
                bits(4),
                "{name}({x:e}, {y:e}) is {result:e}"
            );
            single_values += 1;
        }
    }
    assert_eq!(single_values, 200);

    let mut arguments = Arguments { state: 20_260_101 };
    let mut differing = Vec::new();
    let block_lines = GOLDENS
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("{name} block ")));
    let mut blocks = 0;
    for (block, expected) in block_lines.enumerate() {
        let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
        for _ in 0..BLOCK {
            let x = arguments.argument(ranges);
            let y = arguments.argument(second_ranges);
            for byte in canonical(function(x, y)).to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
            }
        }
        if format!("{hash:016x}") != expected {
            differing.push(block);
        }
        blocks += 1;
    }
    assert_eq!(blocks, 100);
    assert!(
        differing.is_empty(),
        "{name} differs in {} blocks: {differing:?}",
        differing.len()
    );
}

fn compare_one(name: &str, function: fn(f64) -> f64, ranges: &[f64]) {
    compare(name, |x, _| function(x), ranges, &[1.0]);
}

const TURNS: [f64; 5] = [1.0, 10.0, 1000.0, 1e6, 1e9];
const DECADES: [f64; 3] = [1.0, 10.0, 100.0];

#[test]
fn exp_is_java_s() {
    compare_one("exp", exp, &[0.5, 1.0, 10.0, 100.0, 750.0]);
}

#[test]
fn log_is_java_s() {
    compare_one("log", log, &[1.0, 2.0, 10.0, 1e6]);
}

#[test]
fn pow_is_java_s() {
    compare("pow", pow, &[1.0, 2.0, 10.0, 1000.0], &[2.0, 10.0, 300.0]);
}

#[test]
fn sin_is_java_s() {
    compare_one("sin", sin, &TURNS);
}

#[test]
fn cos_is_java_s() {
    compare_one("cos", cos, &TURNS);
}

#[test]
fn tan_is_java_s() {
    compare_one("tan", tan, &TURNS);
}

#[test]
fn sinh_is_java_s() {
    compare_one("sinh", sinh, &[1.0, 25.0, 720.0]);
}

#[test]
fn cosh_is_java_s() {
    compare_one("cosh", cosh, &[1.0, 25.0, 720.0]);
}

#[test]
fn tanh_is_java_s() {
    compare_one("tanh", tanh, &[1.0, 5.0, 25.0]);
}

#[test]
fn round_is_java_s() {
    compare_one("round", |x| java_round(x) as f64, &DECADES);
}

#[test]
fn random_is_java_s() {
    let third_draw = |x: f64| {
        let mut random = JavaRandom::new(canonical(x).cast_signed());
        random.next_double();
        random.next_double();
        random.next_double()
    };
    compare_one("random", third_draw, &DECADES);
}
