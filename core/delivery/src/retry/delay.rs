//! The delay before one retry: fixed, along a curve, or exponential; and its jitter.

use trunkline_types::{Millis, Result};

use super::{DELAY_MAX, invalid};

/// The rule for the delays of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Always the same; zero retries at once.
    Fixed(Millis),
    /// From `from` before the first retry of the phase to `to` before the last.
    Ramp {
        /// Before the first retry.
        from: Millis,
        /// Before the last retry.
        to: Millis,
        /// How the delay grows between the two.
        curve: Curve,
    },
    /// `base` before the first retry, then each time multiplied, up to `cap`.
    Exponential {
        /// Before the first retry.
        base: Millis,
        /// The factor in thousandths: 2,000 doubles.
        factor_permille: u32,
        /// The longest delay.
        cap: Millis,
    },
}

/// SNS's four back-off functions.
///
/// AWS publishes the two ends and that "linear" waits longest in between and "exponential" least;
/// it does not publish the functions. These are power means of the two ends, with the exponents 1,
/// 2/3, 1/3 and 0. So every curve keeps both ends, grows, and lies below the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Equal steps.
    Linear,
    /// Between linear and geometric.
    Arithmetic,
    /// Between arithmetic and exponential.
    Geometric,
    /// Equal ratios.
    Exponential,
}

/// How a delay is spread, so that deliveries that failed together are not retried together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// The delay as it is in the table.
    None,
    /// Evenly between half of the delay and all of it.
    Equal,
    /// Evenly between zero and all of the delay.
    Full,
}

impl Delay {
    /// The delay before retry `index` (from zero) of `retries`.
    pub(super) fn of(self, index: u32, retries: u32) -> Millis {
        match self {
            Self::Fixed(delay) => delay,
            Self::Ramp { from, to, curve } => curve.between(from, to, index, retries),
            Self::Exponential { base, factor_permille, cap } => {
                exponential(base, factor_permille, cap, index)
            }
        }
    }

    /// Refuses delays that are too long and rules that shrink.
    pub(super) fn check(self, phase: usize) -> Result<()> {
        let (shortest, longest) = match self {
            Self::Fixed(delay) => (delay, delay),
            Self::Ramp { from, to, .. } => (from, to),
            Self::Exponential { base, cap, .. } => (base, cap),
        };
        if longest > DELAY_MAX {
            return Err(invalid(format!(
                "phases[{phase}].delay: {longest} ms; at most {DELAY_MAX} ms (12 hours)."
            )));
        }
        if shortest > longest {
            return Err(invalid(format!(
                "phases[{phase}].delay: starts at {shortest} ms and ends at {longest} ms. Give a \
                 first delay that is not above the last."
            )));
        }
        match self {
            Self::Exponential { factor_permille: ..1_000, .. } => Err(invalid(format!(
                "phases[{phase}].delay: a factor below 1 shrinks the delay. Give 1,000 \
                 thousandths or more."
            ))),
            _ => Ok(()),
        }
    }
}

/// Whole numbers only, so that every platform gives the same delay.
fn exponential(base: Millis, factor_permille: u32, cap: Millis, index: u32) -> Millis {
    if factor_permille <= 1_000 || base == 0 {
        return base.min(cap);
    }
    // In thousandths, or a small delay would never grow by a small factor.
    let cap = u128::from(cap) * 1_000;
    let mut delay = u128::from(base) * 1_000;
    for _ in 0..index {
        if delay >= cap {
            break;
        }
        delay = delay * u128::from(factor_permille) / 1_000;
    }
    (delay.min(cap) / 1_000) as Millis
}

impl Curve {
    fn between(self, from: Millis, to: Millis, index: u32, retries: u32) -> Millis {
        if retries <= 1 || index == 0 {
            return from;
        }
        if index >= retries - 1 {
            return to;
        }
        let part = f64::from(index) / f64::from(retries - 1);
        let (low, high) = (from.max(1) as f64, to.max(1) as f64);
        let mean = |exponent: f64| {
            ((1.0 - part) * low.powf(exponent) + part * high.powf(exponent)).powf(1.0 / exponent)
        };
        let delay = match self {
            Self::Linear => mean(1.0),
            Self::Arithmetic => mean(2.0 / 3.0),
            Self::Geometric => mean(1.0 / 3.0),
            Self::Exponential => low * (high / low).powf(part),
        };
        // The ends are bounds whatever floating point makes of the middle.
        (delay.round() as Millis).clamp(from.min(to), to.max(from))
    }
}

impl Jitter {
    pub(super) fn spread(self, delay: Millis, seed: u64, attempts: u32) -> Millis {
        let chance = mixed(seed.wrapping_add(mixed(u64::from(attempts))));
        let share = |of: Millis| (u128::from(of.saturating_add(1)) * u128::from(chance)) >> 64;
        match self {
            Self::None => delay,
            Self::Equal => delay - share(delay / 2) as Millis,
            Self::Full => share(delay) as Millis,
        }
    }
}

/// A round of splitmix64: neighbouring seeds give unrelated numbers.
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_keep_their_ends_and_lie_one_below_the_other() {
        let curves = [Curve::Linear, Curve::Arithmetic, Curve::Geometric, Curve::Exponential];
        for (from, to) in [(1_000, 20_000), (1_000, 1_100), (1, 3_600_000)] {
            let delays = curves.map(|curve| {
                (0..10).map(|index| curve.between(from, to, index, 10)).collect::<Vec<_>>()
            });
            for of_curve in &delays {
                assert_eq!((of_curve[0], of_curve[9]), (from, to));
                assert!(of_curve.is_sorted());
            }
            for pair in delays.windows(2) {
                assert!(pair[0].iter().zip(&pair[1]).all(|(upper, lower)| upper >= lower));
            }
        }
    }

    #[test]
    fn exponential_delays_grow_by_their_factor_up_to_the_cap() {
        let delays: Vec<_> = (0..6).map(|index| exponential(1_000, 2_000, 9_000, index)).collect();
        assert_eq!(delays, [1_000, 2_000, 4_000, 8_000, 9_000, 9_000]);
        assert_eq!(exponential(1, 1_001, 60_000, u32::MAX), 60_000);
        assert_eq!(exponential(0, 2_000, 60_000, u32::MAX), 0);
        assert_eq!(exponential(700, 1_000, 60_000, u32::MAX), 700);
    }

    #[test]
    fn jitter_fills_its_range_and_repeats_with_its_seed() {
        for (jitter, low) in [(Jitter::Equal, 500), (Jitter::Full, 0)] {
            let delays: Vec<_> = (0..2_000).map(|seed| jitter.spread(1_000, seed, 3)).collect();
            assert!(delays.iter().all(|delay| (low..=1_000).contains(delay)));
            let mean = delays.iter().sum::<u64>() / 2_000;
            assert!(mean.abs_diff((low + 1_000) / 2) < 25, "{mean}");
            assert_eq!(delays[7], jitter.spread(1_000, 7, 3));
            assert_ne!(delays[7], jitter.spread(1_000, 7, 4));
        }
        assert_eq!(Jitter::None.spread(1_000, 9, 1), 1_000);
    }
}
