//! A retained log as a whole: what a loader needs of it, and whether its files are sound.

use std::sync::Arc;

use trunkline_types::Result;
use trunkline_types::sync::lock;

use super::file::SealedFile;
use super::log::RetainedLog;
use super::record::RetainedRecord;
use super::unsealed::Location;

impl RetainedLog {
    /// Calls `each` with the records that a loader needs for the log as it stands, the payloads of
    /// entries left out.
    pub fn records(
        &self,
        each: &mut dyn FnMut(Location, RetainedRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        let (first, sealed, sealed_at, unsealed) = {
            let state = lock(&self.state);
            (state.first, state.sealed, state.sealed_at, state.unsealed.clone())
        };
        if let Some(at) = sealed_at {
            each(at, RetainedRecord::Sealed { log: self.log, first, next: sealed })?;
        }
        for (entry, sequence) in unsealed.iter().zip(sealed..) {
            let (log, time) = (self.log, entry.time);
            each(entry.at, RetainedRecord::Entry { log, sequence, time, payload: &[] })?;
        }
        Ok(())
    }

    /// Reads every sealed entry; returns how many there are. Damage is an error that names the
    /// file.
    pub fn verify(&self) -> Result<u64> {
        let files = lock(&self.state).files.clone();
        let verified = |file: &Arc<SealedFile>| match file.verify() {
            Err(_) if self.has_expired(file) => Ok(0),
            verified => verified,
        };
        files.iter().map(verified).sum()
    }
}
