//! Clocks and entropy.

use std::time::Duration;

use trailkeep_io::{Clock, Entropy, SimClock, SimEntropy, SystemClock, SystemEntropy};

#[test]
fn a_simulated_clock_moves_only_when_told_to() {
    let clock = SimClock::new(1_000);
    let same = clock.clone();
    assert_eq!((clock.now_micros(), clock.monotonic()), (1_000, Duration::ZERO));
    same.advance(Duration::from_micros(5));
    assert_eq!((clock.now_micros(), clock.monotonic()), (1_005, Duration::from_micros(5)));
    // The time of day may jump back; the monotonic time never does.
    same.set(-7);
    assert_eq!((clock.now_micros(), clock.monotonic()), (-7, Duration::from_micros(5)));
}

#[test]
fn the_clock_of_the_machine_is_in_this_century_and_never_goes_back() {
    let clock = SystemClock::new();
    let (year_2020, year_2100) = (1_577_836_800_000_000, 4_102_444_800_000_000);
    assert!((year_2020..year_2100).contains(&clock.now_micros()));
    let first = clock.monotonic();
    assert!(clock.monotonic() >= first);
}

#[test]
fn simulated_entropy_repeats_by_seed_and_real_entropy_does_not() {
    let draw = |entropy: &dyn Entropy| {
        let mut bytes = [0; 29];
        entropy.fill(&mut bytes);
        bytes
    };
    assert_eq!(draw(&SimEntropy::new(3)), draw(&SimEntropy::new(3)));
    assert_ne!(draw(&SimEntropy::new(3)), draw(&SimEntropy::new(4)));
    let shared = SimEntropy::new(3);
    assert_ne!(draw(&shared), draw(&shared.clone()));
    assert_ne!(draw(&SystemEntropy), draw(&SystemEntropy));
}
