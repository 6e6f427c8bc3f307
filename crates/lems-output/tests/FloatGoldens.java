// Prints what java.lang.Float.toString gives, for tests/floats.rs to compare with:
// `java FloatGoldens.java > floats.txt` on JDK 17.
//
// One line per sign and exponent of floats: `<upper 9 bits> <hash of the texts>`; of each, the
// first and last 64 fractions and 16,000 others in steps that the test repeats. Then one line per
// single value: `value <bits> <text>`.

class FloatGoldens {
    static final int EDGE = 64;
    static final int INNER = 16_000;
    static final int STEP = 0x9E3779B1;
    static final int FRACTION_MASK = 0x7FFFFF;

    static long hash;

    static void add(int bits) {
        String text = Float.toString(Float.intBitsToFloat(bits)) + "\n";
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001B3L;
        }
    }

    public static void main(String[] arguments) {
        int fraction = 0;
        for (int upper = 0; upper < 512; upper++) {
            hash = 0xCBF29CE484222325L;
            for (int i = 0; i < EDGE; i++) {
                add(upper << 23 | i);
                add(upper << 23 | FRACTION_MASK - i);
            }
            for (int i = 0; i < INNER; i++) {
                fraction += STEP;
                add(upper << 23 | fraction >>> 9);
            }
            System.out.printf("%d %016x%n", upper, hash);
        }
        float[] round = {
            0f, 1f, 0.1f, 0.3f, 1e-3f, 0.00099999f, 9999999f, 1e7f, 1e-4f, 123.456f, 100f, 1e10f,
            1.4e-45f, 2.8e-45f, 1.1754944e-38f, 1.17549e-38f, 8.9288608e7f, 1.6777216e7f, 2e23f,
            3.4028235e38f, 1e-45f, 9.8e-45f, 3e10f, 1.0E9f, 33554432f, 9.223372e18f, 1e24f, 1e25f,
            Float.POSITIVE_INFINITY, Float.NaN, -0.065f, 5e-5f, 2.5e-5f, 0.001f, 0.01f, 10f,
        };
        for (float value : round) {
            print(value);
            print(-value);
        }
        for (int i = 0; i < 400; i++) {
            fraction += STEP;
            print(Float.intBitsToFloat(fraction));
        }
    }

    static void print(float value) {
        System.out.printf("value %08x %s%n", Float.floatToRawIntBits(value), value);
    }
}
