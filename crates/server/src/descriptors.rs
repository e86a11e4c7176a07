//! Open files: every connection is one, and a process may have only so many.
//!
//! At start the limit is raised as far as the settings need and the system allows (a shell's 1,024 is for programs that
//! use `select`, which nothing here does). What does not fit is taken off the connections: one too many is answered
//! 503, while a process out of descriptors could answer nobody. Source: `getrlimit(2)`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections of the management listener: health and metrics answer also when the APIs are full.
pub(crate) const MANAGEMENT_CONNECTIONS: usize = 256;

/// What is kept for everything else: management, the database, brokers (one connection each for four clients of a
/// cluster), files.
const RESERVED: u64 = MANAGEMENT_CONNECTIONS as u64 + 256;

/// Raises the limit of open files for `wanted` connections; how many of them fit.
pub(crate) fn make_room(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let needed = wanted as u64 + RESERVED;
    let allowed = raised(limit.current, limit.maximum, needed);
    if allowed == limit.current {
        return fitting(wanted, allowed);
    }
    let allowed = match setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: limit.maximum }) {
        Ok(()) => allowed,
        Err(cause) => {
            tracing::warn!(%cause, "the limit of open files cannot be raised");
            limit.current
        }
    };
    fitting(wanted, allowed)
}

/// The limit to ask for; `None` is no limit.
fn raised(current: Option<u64>, maximum: Option<u64>, needed: u64) -> Option<u64> {
    match current {
        Some(current) if current < needed => Some(maximum.map_or(needed, |maximum| maximum.min(needed)).max(current)),
        enough => enough,
    }
}

fn fitting(wanted: usize, allowed: Option<u64>) -> usize {
    let fit = fit(wanted, allowed);
    if fit < wanted {
        tracing::warn!(
            "this process may open {} files: at most {fit} connections are taken instead of {wanted} \
             (max-connections); raise the limit with `ulimit -n` or LimitNOFILE=",
            allowed.unwrap_or_default()
        );
    }
    fit
}

/// How many of `wanted` connections fit: at least half of what may be opened, however little that is.
fn fit(wanted: usize, allowed: Option<u64>) -> usize {
    let Some(allowed) = allowed else { return wanted };
    let room = allowed.saturating_sub(RESERVED).max(allowed / 2).max(1);
    usize::try_from(room).map_or(wanted, |room| room.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_what_is_needed_and_never_lowered() {
        assert_eq!(raised(Some(1_024), Some(1_048_576), 10_752), Some(10_752));
        assert_eq!(raised(Some(1_024), None, 10_752), Some(10_752));
        assert_eq!(raised(Some(1_024), Some(4_096), 10_752), Some(4_096));
        assert_eq!(raised(Some(20_000), Some(20_000), 10_752), Some(20_000));
        assert_eq!(raised(None, None, 10_752), None);
    }

    #[test]
    fn connections_that_do_not_fit_are_refused_beforehand() {
        assert_eq!(fit(10_240, None), 10_240);
        assert_eq!(fit(10_240, Some(10_752)), 10_240);
        assert_eq!(fit(10_240, Some(4_096)), 4_096 - 512);
        assert_eq!(fit(10_240, Some(256)), 128, "half, where the reserve does not fit");
        assert_eq!(fit(10, Some(1_024)), 10);
    }
}
