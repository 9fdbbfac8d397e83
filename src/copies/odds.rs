//! What a sample allows to be said of the rest, exactly.
//!
//! Of a number of places some are looked at, and some of these do not hold the work: misses. How many misses there may be
//! among all is asked here, never guessed by a normal curve: numbers are small, and mostly there is no miss at all.
//!
//! - of a population so large that it may be taken for endless: the interval of Clopper and Pearson ("The use of confidence
//!   or fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934), from quantiles of the beta
//!   distribution
//! - of a list of known length: the largest number of misses among all with which as few as were found would still not be
//!   unlikely, by the hypergeometric distribution
//!
//! The incomplete beta function is computed by its continued fraction (NIST DLMF 8.17.22) with the method of Lentz, the
//! logarithm of the gamma function by Stirling's series (DLMF 5.11.1) from 10 on and by its recurrence below.

/// Steps of a bisection: more than a double has bits.
const STEPS: u32 = 200;
/// Terms of the continued fraction at most; a few times the square root of the largest parameter are needed.
const TERMS_MAX: u32 = 100_000;
/// Two values that differ by less are equal.
const TINY: f64 = 1e-300;
const EPSILON: f64 = 1e-15;

/// The logarithm of the gamma function of a positive number.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 10.0 {
        product *= x;
        x += 1.0;
    }
    // Bernoulli numbers over 2k (2k - 1), for k = 1 to 7.
    let terms = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1_260.0,
        -1.0 / 1_680.0,
        1.0 / 1_188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let square = 1.0 / (x * x);
    let series = terms
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum * square + term)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - f64::ln(product)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    let factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    factorial(n) - factorial(k) - factorial(n - k)
}

/// The regularised incomplete beta function.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on one side of the mean, and the other side mirrors it.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_fraction(1.0 - x, b, a);
    }
    beta_fraction(x, a, b)
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for term in 1..TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for step in [even, odd] {
            d = 1.0 / kept(1.0 + step * d);
            c = kept(1.0 + step / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() < EPSILON * fraction.abs() {
            break;
        }
    }
    ln_front.exp() * fraction / a
}

/// The place where the incomplete beta function reaches `p`.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        if beta(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The two-sided interval of Clopper and Pearson for a rate of which `k` of `n` were found.
pub fn interval(k: u64, n: u64, confidence: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (k, tail) = (k.min(n), (1.0 - confidence) / 2.0);
    let (held, rest) = (k as f64, (n - k) as f64);
    let low = match k {
        0 => 0.0,
        _ => beta_quantile(tail, held, rest + 1.0),
    };
    (low, upper_at(k, n, tail))
}

/// The one-sided upper bound of a rate of which `k` of `n` were found.
pub fn upper(k: u64, n: u64, confidence: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    upper_at(k.min(n), n, 1.0 - confidence)
}

fn upper_at(k: u64, n: u64, tail: f64) -> f64 {
    if k == n {
        return 1.0;
    }
    if k == 0 {
        return 1.0 - (tail.ln() / n as f64).exp();
    }
    beta_quantile(1.0 - tail, k as f64 + 1.0, (n - k) as f64)
}

/// The most misses that there may be among `total`, where `k` were found in `n` drawn from them at random: with one more,
/// so few would be found with less than the probability that `confidence` leaves.
pub fn misses_at_most(k: u64, n: u64, total: u64, confidence: f64) -> u64 {
    let n = n.min(total);
    let k = k.min(n);
    let left = (1.0 - confidence).ln();
    // As many as were found are possible; all but those that were found not to be are the most.
    let (mut possible, mut beyond) = (k, total - (n - k) + 1);
    while beyond - possible > 1 {
        let middle = possible + (beyond - possible) / 2;
        if ln_at_most(k, n, middle, total) > left {
            possible = middle;
        } else {
            beyond = middle;
        }
    }
    possible
}

/// The logarithm of the probability that at most `k` misses are among `n` drawn, where there are `misses` among `total`.
fn ln_at_most(k: u64, n: u64, misses: u64, total: u64) -> f64 {
    let least = n.saturating_sub(total - misses);
    let most = k.min(misses).min(n);
    let all = ln_choose(total, n);
    let terms: Vec<f64> = (least..=most)
        .map(|found| ln_choose(misses, found) + ln_choose(total - misses, n - found) - all)
        .collect();
    let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + terms
        .iter()
        .map(|term| (term - top).exp())
        .sum::<f64>()
        .ln()
}

/// How many must be looked at without a miss for the rate of misses to be below `rate`, of a population without end.
pub fn enough(rate: f64, confidence: f64) -> u64 {
    ((1.0 - confidence).ln() / (1.0 - rate).ln()).ceil() as u64
}

/// The same of `total`, drawn at random: fewer than that share of them may be misses then.
pub fn enough_of(total: u64, rate: f64, confidence: f64) -> u64 {
    let is_enough = |n: u64| (misses_at_most(0, n, total, confidence) as f64) < rate * total as f64;
    let (mut low, mut high) = (0, total);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        let scale = wanted.abs().max(1e-12);
        assert!((found - wanted).abs() / scale < 1e-9, "{found} {wanted}");
    }

    /// mpmath 1.3, `loggamma`, 40 digits.
    #[test]
    fn the_gamma_function_is_as_published() {
        for (x, wanted) in [
            (0.5, 0.572_364_942_924_700_1),
            (2.5, 0.284_682_870_472_919_2),
            (10.0, 12.801_827_480_081_47),
            (97.25, 346.522_117_484_949),
            (1e5, 1_051_287.708_973_656_9),
        ] {
            near(ln_gamma(x), wanted);
        }
        assert!(ln_gamma(1.0).abs() < 1e-13);
    }

    /// SciPy 1.x, `scipy.stats.beta.ppf`: two-sided at 95 %, and the one-sided upper bound.
    #[test]
    fn intervals_are_those_of_clopper_and_pearson() {
        for (k, n, low, high, one_sided) in [
            (0, 10, 0.0, 0.308_497_107_818_760_7, 0.258_865_550_893_052_2),
            (
                1,
                10,
                0.002_528_578_544_461_784_8,
                0.445_016_117_028_195_4,
                0.394_163_302_436_504_66,
            ),
            (
                3,
                40,
                0.015_742_179_851_041_53,
                0.203_864_748_732_898_95,
                0.182_586_850_015_902_2,
            ),
            (
                5,
                97,
                0.016_946_501_884_193_794,
                0.116_203_303_419_032,
                0.105_324_796_633_087_93,
            ),
            (
                20,
                40,
                0.338_017_813_737_234_55,
                0.661_982_186_262_765_5,
                0.638_908_340_001_662_2,
            ),
            (40, 40, 0.911_902_697_121_197_6, 1.0, 1.0),
            (
                7,
                100_000,
                2.814_407_880_503_679_7e-5,
                1.442_214_009_223_486_4e-4,
                1.314_770_962_390_926_4e-4,
            ),
            (
                50_000,
                100_000,
                0.496_896_062_491_800_4,
                0.503_103_937_508_199_6,
                0.502_605_717_739_716_5,
            ),
        ] {
            let found = interval(k, n, 0.95);
            near(found.0, low);
            near(found.1, high);
            near(upper(k, n, 0.95), one_sided);
        }
        // The rule of three is what it comes near to.
        assert!((upper(0, 300, 0.95) - 0.01).abs() < 1e-4);
        assert_eq!(interval(0, 0, 0.95), (0.0, 1.0));
    }

    /// Counted out in whole numbers (Python, `math.comb` and `fractions`).
    #[test]
    fn of_a_list_the_bound_is_exact() {
        for (k, n, total, confidence, wanted) in [
            (0, 20, 97, 0.95, 12),
            (0, 59, 1_000, 0.95, 48),
            (1, 30, 97, 0.95, 12),
            (3, 40, 100, 0.95, 15),
            (0, 96, 97, 0.95, 0),
            (0, 97, 97, 0.95, 0),
            (5, 50, 8_100, 0.95, 1_608),
            (0, 299, 8_100, 0.99, 121),
            (4, 200, 8_100, 0.95, 363),
            (0, 0, 10, 0.95, 10),
            (10, 10, 20, 0.95, 20),
        ] {
            let found = misses_at_most(k, n, total, confidence);
            assert_eq!(found, wanted, "{k} of {n} of {total}");
        }
    }

    #[test]
    fn how_many_suffice() {
        assert_eq!((enough(0.05, 0.95), enough(0.01, 0.95)), (59, 299));
        for (total, at_five, at_one) in
            [(10, 10, 10), (97, 43, 93), (500, 56, 225), (8_100, 59, 293)]
        {
            assert_eq!(enough_of(total, 0.05, 0.95), at_five, "{total}");
            assert_eq!(enough_of(total, 0.01, 0.95), at_one, "{total}");
        }
        assert_eq!(enough_of(0, 0.05, 0.95), 0);
    }

    proptest::proptest! {
        #[test]
        fn bounds_hold_what_was_found(k in 0_u64..60, more in 0_u64..60, rest in 0_u64..200) {
            let n = k + more;
            let (low, high) = interval(k, n, 0.95);
            proptest::prop_assert!((0.0..=1.0).contains(&low) && low <= high && high <= 1.0);
            if n > 0 {
                let rate = k as f64 / n as f64;
                proptest::prop_assert!(low <= rate && rate <= high && upper(k, n, 0.95) <= high);
            }
            let most = misses_at_most(k, n, n + rest, 0.95);
            proptest::prop_assert!(k <= most && most <= k + rest);
            // The more is left out, the more there may be.
            proptest::prop_assert!(most <= misses_at_most(k, n, n + rest + 1, 0.95));
        }
    }
}
