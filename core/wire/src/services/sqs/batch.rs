//! What every batch must satisfy before any of its entries is looked at.

use super::errors::named;
use crate::codec::text::Text;
use crate::error::Result;
use crate::limits::BATCH_ID_CHARS_MAX;

/// Checks the number of entries and their ids. `kind` is the name of an entry's shape.
pub(super) fn check<'a>(
    ids: impl ExactSizeIterator<Item = Option<&'a Text<'a>>> + Clone,
    max: usize,
    kind: &str,
) -> Result<()> {
    let count = ids.len();
    if count == 0 {
        let message = format!("There should be at least one {kind} in the request.");
        return Err(named("EmptyBatchRequest", message));
    }
    if count > max {
        let message =
            format!("Maximum number of entries per request are {max}. You have sent {count}.");
        return Err(named("TooManyEntriesInBatchRequest", message));
    }
    for (place, id) in ids.clone().enumerate() {
        let id = id.map_or("", |id| &**id);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if id.is_empty() || id.len() > BATCH_ID_CHARS_MAX || !id.bytes().all(allowed) {
            let message = format!(
                "A batch entry id can only contain alphanumeric characters, hyphens and \
                 underscores. It can be at most {BATCH_ID_CHARS_MAX} letters long."
            );
            return Err(named("InvalidBatchEntryId", message));
        }
        if ids.clone().take(place).any(|other| other.is_some_and(|other| &**other == id)) {
            return Err(named("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(())
}
