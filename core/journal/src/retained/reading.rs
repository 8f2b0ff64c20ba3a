//! Reading a retained log: sealed entries from their files, the others from the journal.

use trunkline_types::Result;
use trunkline_types::sync::lock;

use super::file::SealedFile;
use super::format::Entry;
use super::log::RetainedLog;
use super::unsealed::{Unsealed, UnsealedReader, reclaimed};

/// Entries whose locations are looked up at once: at first, and at most.
const RUN_ENTRIES_MIN: usize = 16;
const RUN_ENTRIES_MAX: usize = 512;

impl RetainedLog {
    /// Calls `each` with the entries from `sequence` on, in order, until it returns false.
    pub fn read(&self, sequence: u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<()> {
        self.read_about(sequence, u64::MAX, each)
    }

    /// The same for a caller that wants about `wanted` entries: not many more are read ahead.
    pub fn read_about(
        &self,
        sequence: u64,
        wanted: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<()> {
        let end = sequence.saturating_add(wanted);
        let mut at = sequence;
        loop {
            // Entries that expired while the ones before them were read may never have been in a
            // file: the next one is behind them.
            at = at.max(lock(&self.state).first);
            if !(self.read_sealed(&mut at, end, each)? && self.read_unsealed(&mut at, each)?) {
                return Ok(());
            }
            // Else entries were sealed or expired meanwhile.
            if at >= lock(&self.state).sealed {
                return Ok(());
            }
        }
    }

    /// Hands out sealed entries from `at` on; whether more are wanted. Those from `end` on are not
    /// read ahead.
    fn read_sealed(
        &self,
        at: &mut u64,
        end: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<bool> {
        loop {
            let file = {
                let state = lock(&self.state);
                let index = state.files.partition_point(|file| file.footer.next <= *at);
                state.files.get(index).cloned()
            };
            let Some(file) = file else { return Ok(true) };
            *at = (*at).max(file.footer.first);
            let read = file.read(*at, end, &mut |entry| {
                *at = entry.sequence + 1;
                each(entry)
            });
            match read {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(_) if self.has_expired(&file) => *at = (*at).max(file.footer.next),
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands out entries that are in the journal only, from `at` on, until there are none or a part
    /// of them was sealed meanwhile; whether more are wanted.
    fn read_unsealed(&self, at: &mut u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<bool> {
        let mut reader = UnsealedReader::new(self.log, &self.shared);
        let mut run = Vec::new();
        let mut count = RUN_ENTRIES_MIN;
        loop {
            self.unsealed_run(*at, count, &mut run);
            if run.is_empty() {
                return Ok(true);
            }
            for index in 0..run.len() {
                let Some(payload) = reader.payload(&run[index..])? else {
                    self.unsealed_run(*at, 1, &mut run);
                    match run.first() {
                        Some(entry) => return Err(reclaimed(entry)),
                        None => return Ok(true),
                    }
                };
                let (sequence, time) = (*at, run[index].time);
                *at += 1;
                if !each(Entry { sequence, time, payload, buffer: None }) {
                    return Ok(false);
                }
            }
            count = RUN_ENTRIES_MAX.min(count * 2);
        }
    }

    /// Fills `run` with up to `count` unsealed entries, the first of which has this number.
    fn unsealed_run(&self, sequence: u64, count: usize, run: &mut Vec<Unsealed>) {
        run.clear();
        let state = lock(&self.state);
        let Some(skipped) = sequence.checked_sub(state.sealed) else { return };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let end = state.unsealed.len().min(skipped.saturating_add(count));
        if skipped < end {
            run.extend(state.unsealed.range(skipped..end));
        }
    }

    /// Whether the entries of a file are gone, so that the file itself may be.
    pub(super) fn has_expired(&self, file: &SealedFile) -> bool {
        lock(&self.state).first > file.footer.first
    }

    /// The first entry whose time is not before `time`; the next sequence number if there is none.
    pub fn find_time(&self, time: u64) -> Result<u64> {
        let (files, unsealed, next) = {
            let state = lock(&self.state);
            let index = state.unsealed.iter().position(|entry| entry.time >= time);
            (state.files.clone(), index.map(|index| state.sealed + index as u64), state.next())
        };
        for file in files.iter().filter(|file| file.footer.max_time >= time) {
            match file.find_time(time) {
                Ok(Some(sequence)) => return Ok(sequence),
                Ok(None) => {}
                Err(_) if self.has_expired(file) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unsealed.unwrap_or(next))
    }
}
