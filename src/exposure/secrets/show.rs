//! What of a credential may be shown: enough to find it in the console of whoever issued it, too little to use it.

use super::rule::Redact;
use crate::exposure::shown;

/// Characters at the end that identify a credential to its owner.
const TAIL: usize = 4;

/// What is shown of `value`, whose first `prefix` bytes are the same for all of its kind. Of what is behind them never
/// more than a third.
pub(super) fn redacted(value: &[u8], prefix: usize, how: Redact) -> String {
    let (front, body) = value.split_at_checked(prefix).unwrap_or((b"", value));
    match how {
        Redact::Whole => shown(value),
        Redact::Ends => {
            let tail = TAIL.min(body.len() / 3);
            format!("{}…{}", shown(front), shown(&body[body.len() - tail..]))
        }
        Redact::Length | Redact::Url | Redact::Parsed => format!("({} bytes)", value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_third_is_shown() {
        assert_eq!(
            redacted(b"ghp_0123456789abcdef", 4, Redact::Ends),
            "ghp_…cdef"
        );
        assert_eq!(redacted(b"hunter2!", 0, Redact::Ends), "…2!");
        assert_eq!(redacted(b"ab", 0, Redact::Ends), "…");
        assert_eq!(redacted(b"ab", 4, Redact::Ends), "…");
        assert_eq!(redacted(b"AKIA2", 4, Redact::Whole), "AKIA2");
        assert_eq!(redacted(b"secret", 0, Redact::Length), "(6 bytes)");
    }
}
