//! Compares with what Java's `Float.toString` printed into `floats.txt` by `FloatGoldens.java`.

#![allow(clippy::unwrap_used)]

use lems_output::write_java_float;
use proptest::prelude::*;

const GOLDENS: &str = include_str!("floats.txt");

fn text(value: f64) -> String {
    let mut out = Vec::new();
    write_java_float(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn text_of_bits(bits: u32) -> String {
    text(f64::from(f32::from_bits(bits)))
}

#[test]
fn single_values_are_java_s() {
    let mut values = 0;
    for line in GOLDENS.lines() {
        if let Some((bits, expected)) = line
            .strip_prefix("value ")
            .and_then(|value| value.split_once(' '))
        {
            let bits = u32::from_str_radix(bits, 16).unwrap();
            assert_eq!(text_of_bits(bits), expected, "{bits:08x}");
            values += 1;
        }
    }
    assert_eq!(values, 472);
}

#[test]
fn millions_of_values_of_all_exponents_are_java_s() {
    const EDGE: u32 = 64;
    const INNER: u32 = 16_000;
    const STEP: u32 = 0x9E37_79B1;
    const FRACTION_MASK: u32 = 0x7F_FFFF;
    let mut fraction: u32 = 0;
    let mut next_fraction = || {
        fraction = fraction.wrapping_add(STEP);
        fraction >> 9
    };
    let mut differing = Vec::new();
    for upper in 0..512_u32 {
        let edges = (0..EDGE).flat_map(|i| [i, FRACTION_MASK - i]);
        let fractions =
            edges.chain(std::iter::repeat_with(&mut next_fraction).take(INNER as usize));
        let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
        let mut line = Vec::new();
        for fraction in fractions {
            line.clear();
            write_java_float(f64::from(f32::from_bits(upper << 23 | fraction)), &mut line);
            line.push(b'\n');
            for &byte in &line {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
            }
        }
        let expected = format!("{upper} {hash:016x}");
        if GOLDENS.lines().nth(upper as usize) != Some(&expected) {
            differing.push(upper);
        }
    }
    assert!(
        differing.is_empty(),
        "differs for the upper bits {differing:?}"
    );
}

#[test]
fn values_are_rounded_to_the_nearest_float() {
    assert_eq!(text(16_777_217.0), "1.6777216E7");
    assert_eq!(text(16_777_219.0), "1.677722E7");
    assert_eq!(text(0.1), "0.1");
    assert_eq!(text(1e300), "Infinity");
    assert_eq!(text(-1e300), "-Infinity");
    assert_eq!(text(-1e-300), "-0.0");
    assert_eq!(text(3.402_823_567_797_336_6e38), "Infinity");
    assert_eq!(text(3.402_823_567_797_336e38), "3.4028235E38");
}

proptest! {
    #[test]
    fn reads_back_as_the_same_float(bits: u32) {
        let value = f32::from_bits(bits);
        let text = text_of_bits(bits);
        if value.is_nan() {
            prop_assert_eq!(text, "NaN");
        } else {
            let read: f32 = text.parse().unwrap();
            prop_assert_eq!(read.to_bits(), bits);
        }
    }

    #[test]
    fn appends(bits: u32, before in "[a-z]{0,3}") {
        let mut out = before.clone().into_bytes();
        write_java_float(f64::from(f32::from_bits(bits)), &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), before + &text_of_bits(bits));
    }
}
