// Prints the results of java.lang.StrictMath, Math.round and java.util.Random that
// tests/strict_math.rs compares with: `java StrictMathGoldens.java > strict_math.txt` on JDK 17.
//
// One line per block of 10,000 arguments: `<function> block <hash of the results>`, and one per
// single result: `<function> value <argument bits> <second argument bits> <result bits>`.
// The arguments come from a generator that the test repeats.

import java.util.Random;
import java.util.function.DoubleBinaryOperator;

class StrictMathGoldens {
    static final int BLOCKS = 100;
    static final int BLOCK = 10_000;
    static final int VALUES = 120;

    static final double[] BORDERS = {
        0.0, Double.MIN_VALUE, Double.MIN_NORMAL, 0x1p-55, 0x1p-54, 0x1p-28, 0x1p-27, 0x1p-20,
        0.25, 0.3, 0.5 * 0x1.62e42fefa39efp-1, 0.5, 0x1.59428p-1, 0x1.62e42fefa39efp-1,
        0x1.921fb54442d18p-1, 0x1.9p-1, 1.0, 1.5 * 0x1.62e42fefa39efp-1, 0x1.6a09e667f3bcdp0,
        0x1.921fb54442d18p0, 2.0, 0x1.2d97c7f3321d2p1, 0x1.921fb54442d18p1, 10.0, 22.0,
        0x1.368p5, 170.0, 0x1.921fb54442d18p19, 0x1p31, 0x1p52, 0x1p53, 0x1p63,
        0x1.6232bdd7abcd2p9, 0x1.62e42fefa39efp9, 0x1.633ce8fb9f87dp9, 0x1.74385446d71c3p9,
        0x1.74910d52d3051p9, Double.MAX_VALUE, Double.POSITIVE_INFINITY, Double.NaN,
    };

    static long state;

    static long next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    static double argument(double... ranges) {
        long choice = next();
        long bits = next();
        int detail = (int) ((choice >>> 8) & 0xFF);
        double sign = (choice & 8) == 0 ? 1.0 : -1.0;
        switch ((int) (choice & 7)) {
            case 0, 1, 2:
                return sign * ranges[detail % ranges.length] * ((bits >>> 11) * 0x1p-53);
            case 3:
                return Double.longBitsToDouble(bits);
            case 4:
                long border = Double.doubleToRawLongBits(BORDERS[detail % BORDERS.length]);
                return sign * Double.longBitsToDouble(border + (bits >> (12 + (choice >>> 16) % 52)));
            case 5:
                double multiple = (bits >>> (24 + detail % 40)) * 0x1.921fb54442d18p0;
                long near = Double.doubleToRawLongBits(multiple) + (choice >>> 16) % 5 - 2;
                return sign * Double.longBitsToDouble(near);
            case 6:
                long power = 1023 - (choice >>> 16) % 60;
                return sign * (bits >>> (34 + detail % 30)) * Double.longBitsToDouble(power << 52);
            default:
                return sign * BORDERS[detail % BORDERS.length] * ((bits >>> 11) * 0x1p-53);
        }
    }

    static long canonical(double value) {
        return Double.doubleToLongBits(value);
    }

    static void print(
            String name, DoubleBinaryOperator function, double[] ranges, double[] secondRanges) {
        state = 20_260_101;
        for (int block = 0; block < BLOCKS; block++) {
            long hash = 0xCBF29CE484222325L;
            for (int i = 0; i < BLOCK; i++) {
                double x = argument(ranges);
                double y = argument(secondRanges);
                long result = canonical(function.applyAsDouble(x, y));
                for (int shift = 0; shift < 64; shift += 8) {
                    hash = (hash ^ ((result >>> shift) & 0xFF)) * 0x100000001B3L;
                }
            }
            System.out.printf("%s block %016x%n", name, hash);
        }
        for (double border : BORDERS) {
            for (double x : new double[] {border, -border}) {
                value(name, function, x, argument(secondRanges));
            }
        }
        for (int i = 0; i < VALUES; i++) {
            value(name, function, argument(ranges), argument(secondRanges));
        }
    }

    static void value(String name, DoubleBinaryOperator function, double x, double y) {
        long result = canonical(function.applyAsDouble(x, y));
        System.out.printf(
                "%s value %016x %016x %016x%n", name, canonical(x), canonical(y), result);
    }

    static double[] ranges(double... ranges) {
        return ranges;
    }

    public static void main(String[] arguments) {
        double[] none = ranges(1.0);
        double[] turns = ranges(1.0, 10.0, 1000.0, 1e6, 1e9);
        double[] decades = ranges(1.0, 10.0, 100.0);
        print("exp", (x, y) -> StrictMath.exp(x), ranges(0.5, 1.0, 10.0, 100.0, 750.0), none);
        print("log", (x, y) -> StrictMath.log(x), ranges(1.0, 2.0, 10.0, 1e6), none);
        print("pow", StrictMath::pow, ranges(1.0, 2.0, 10.0, 1000.0), ranges(2.0, 10.0, 300.0));
        print("sin", (x, y) -> StrictMath.sin(x), turns, none);
        print("cos", (x, y) -> StrictMath.cos(x), turns, none);
        print("tan", (x, y) -> StrictMath.tan(x), turns, none);
        print("sinh", (x, y) -> StrictMath.sinh(x), ranges(1.0, 25.0, 720.0), none);
        print("cosh", (x, y) -> StrictMath.cosh(x), ranges(1.0, 25.0, 720.0), none);
        print("tanh", (x, y) -> StrictMath.tanh(x), ranges(1.0, 5.0, 25.0), none);
        print("round", (x, y) -> Math.round(x), decades, none);
        print("random", StrictMathGoldens::thirdDraw, decades, none);
    }

    static double thirdDraw(double x, double y) {
        Random random = new Random(canonical(x));
        random.nextDouble();
        random.nextDouble();
        return random.nextDouble();
    }
}
