//! When a message that did not arrive is tried again: ever later, never all at once, and not
//! for ever. It outlives an outage of a day.

use chrono::TimeDelta;

/// So often is a message tried before it is given up.
pub const TRIES: i64 = 18;
/// The wait after the first failure; each further one doubles it.
pub const FIRST: TimeDelta = TimeDelta::seconds(30);
/// The longest wait.
pub const LONGEST: TimeDelta = TimeDelta::hours(4);

/// How long to wait after so many failures; `None` when it is given up. `chance` is any number:
/// it shortens the wait by up to a quarter, so that what failed together does not come back
/// together.
pub fn wait(failures: i64, chance: u32) -> Option<TimeDelta> {
    if failures >= TRIES {
        return None;
    }
    let doubled = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(16);
    let whole = (FIRST * 2_i32.pow(doubled)).min(LONGEST).num_milliseconds();
    let less = whole / 4 * i64::from(chance) / i64::from(u32::MAX);
    Some(TimeDelta::milliseconds(whole - less))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_outlives_a_day() {
        let shortest: TimeDelta = (1..TRIES).filter_map(|n| wait(n, u32::MAX)).sum();
        let longest: TimeDelta = (1..TRIES).filter_map(|n| wait(n, 0)).sum();
        assert!(shortest > TimeDelta::hours(24) && longest < TimeDelta::hours(48), "{shortest} {longest}");
        assert_eq!(wait(1, 0), Some(FIRST));
        assert_eq!(wait(TRIES, 0), None);
    }

    proptest! {
        #[test]
        fn waits_grow_to_a_bound_and_differ_by_chance(failures in 1..TRIES, one: u32, other: u32) {
            let (a, b) = (wait(failures, one).unwrap(), wait(failures, other).unwrap());
            prop_assert!(a > TimeDelta::zero() && a <= LONGEST && a >= FIRST * 3 / 4);
            prop_assert!(one > other || a >= b, "more chance, less wait");
            if let Some(next) = wait(failures + 1, other) {
                // Even the shortest of the next is no shorter than three quarters of the longest here.
                prop_assert!(next * 4 >= wait(failures, 0).unwrap() * 3);
            }
        }

        #[test]
        fn any_number_of_failures_is_answered(failures: i64, chance: u32) {
            prop_assert_eq!(wait(failures, chance).is_none(), failures >= TRIES);
        }
    }
}
