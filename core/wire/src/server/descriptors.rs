//! How many connections the process has descriptors for.

/// Descriptors that stay free for the files of the engine and for what the program opens itself.
const RESERVE: u64 = 128;
/// What is taken where the system tells no limit.
const UNKNOWN: usize = 8_192;

/// Connections that the limit of the process allows; at least a few.
pub(super) fn available() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        if let Some(limit) = getrlimit(Resource::Nofile).current {
            let free = limit.saturating_sub(RESERVE).max(limit / 4).max(1);
            return usize::try_from(free).unwrap_or(UNKNOWN);
        }
    }
    UNKNOWN
}
