//! Days, and days on which people work.
//!
//! Deadlines count days and not hours, so a day is its number since 1970-01-01. Reading and writing dates is left to the crate that
//! reads times elsewhere; what is here is weekdays and holidays.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

const SECONDS: u64 = 86_400;
/// The last day that can be written: the end of the year 9999.
const LAST: u64 = 2_932_896;

/// A day, from 1970-01-01 to 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u64);

impl Day {
    /// Reads `2026-04-01`, or the day of `2026-04-01T10:00:00Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let time = match text.len() {
            10 => humantime::parse_rfc3339(&format!("{text}T00:00:00Z")),
            _ => humantime::parse_rfc3339(text),
        };
        Self::of(time.ok()?)
    }

    /// The day of a time, UTC.
    #[must_use]
    pub fn of(time: SystemTime) -> Option<Self> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self(since.as_secs() / SECONDS)).filter(|day| day.0 <= LAST)
    }

    /// Whether it is a Saturday or a Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        // The first of January 1970 was a Thursday.
        (self.0 + 3) % 7 >= 5
    }

    /// So many days later, or the last day there is.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self((self.0 + u64::from(days)).min(LAST))
    }

    /// So many business days later: the day itself does not count, nor do weekends and these days.
    #[must_use]
    pub fn plus_business(self, days: u32, holidays: &BTreeSet<Day>) -> Self {
        let (mut day, mut left) = (self, days);
        while left > 0 && day.0 < LAST {
            day = day.plus(1);
            if !day.is_weekend() && !holidays.contains(&day) {
                left -= 1;
            }
        }
        day
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.0 * SECONDS);
        let text = humantime::format_rfc3339_seconds(time).to_string();
        f.write_str(text.get(..10).unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn days_are_read_and_written() {
        for text in ["1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"] {
            assert_eq!(day(text).to_string(), text);
        }
        assert_eq!(day("2026-04-01T23:59:59Z").to_string(), "2026-04-01");
        for bad in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-4-1",
            "01.04.2026",
            "1969-12-31",
            "2026-04-01T10:00",
            "1000000-01-01",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
        assert_eq!(day("9999-12-31").plus(9).to_string(), "9999-12-31");
        assert_eq!(
            day("9999-12-31")
                .plus_business(u32::MAX, &BTreeSet::new())
                .to_string(),
            "9999-12-31"
        );
    }

    #[test]
    fn business_days_leave_out_weekends_and_holidays() {
        // A Friday.
        let friday = day("2026-04-03");
        let none = BTreeSet::new();
        assert!(!friday.is_weekend() && friday.plus(1).is_weekend() && friday.plus(2).is_weekend());
        assert_eq!(friday.plus_business(0, &none), friday);
        assert_eq!(friday.plus_business(1, &none), day("2026-04-06"));
        assert_eq!(friday.plus(1).plus_business(1, &none), day("2026-04-06"));
        let monday = BTreeSet::from([day("2026-04-06")]);
        assert_eq!(friday.plus_business(1, &monday), day("2026-04-07"));
    }
}
