//! Opening: reads every batch that was written, in order, and finds where the journal ends.
//!
//! What tells a torn tail, which is normal after a crash, from corruption, which never is:
//!
//! - Every batch says how far the journal was durable when it was written. If any intact header
//!   behind the first bad batch says that it was durable beyond that batch, bytes were damaged
//!   that a disk had promised to keep.
//! - The first batch of a segment says where the one before ended.
//! - A segment has its full length before anything is written to it, and batches name that length.
//! - Every batch names the oldest segment that is still needed.
//!
//! Behind the end there may be intact frames of batches that were never acknowledged. They are
//! wiped before anything is appended, or they would be taken for new ones after the next crash.

use trunkline_types::Result;

use crate::folder::FIRST_SEGMENT;
use crate::frame::{HEADER_BYTES, Header};
use crate::limits;
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::scan::Scanner;
use crate::segment::{DRAFT_NAME, Segment, damaged, length_of, missing, name_of, number_of};
use crate::storage::{File, Storage};
use crate::superblock::SUPERBLOCK_DRAFT_NAME;

/// Takes each record in order.
pub(crate) type Replay<'a> = &'a mut dyn FnMut(Lsn, &[u8]) -> Result<()>;

/// What was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The segments that hold batches, oldest first, or the first one when nothing was written.
    pub(crate) segments: Vec<Segment>,
    /// Where the journal ends.
    pub(crate) end: Lsn,
    /// The oldest segment that is still needed.
    pub(crate) oldest: u32,
}

struct Recovery<'a> {
    storage: &'a dyn Storage,
    options: &'a Options,
    seed: u32,
    numbers: Vec<u32>,
    segments: Vec<Segment>,
    last: Option<Header>,
    end: Lsn,
    /// Headers behind the end that name their own place.
    stale_headers: Vec<Lsn>,
}

/// Replays the journal, and readies it to be appended to unless the storage is read-only.
pub(crate) fn recover(
    storage: &dyn Storage,
    options: &Options,
    seed: u32,
    replay: Replay<'_>,
) -> Result<Recovered> {
    let mut numbers: Vec<u32> = storage.list()?.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    let mut recovery = Recovery {
        storage,
        options,
        seed,
        numbers,
        segments: Vec::new(),
        last: None,
        end: Lsn::default(),
        stale_headers: Vec::new(),
    };
    recovery.check_numbers()?;
    recovery.replay_all(replay)?;
    recovery.search_behind_end()?;
    let oldest = recovery.oldest()?;
    if !storage.is_read_only() {
        // IMPORTANT: a process that was killed may have made names that only the page cache
        // knows. From here on they count as durable.
        if !options.has(Mutant::ForgetSyncDir) {
            storage.sync_dir()?;
        }
        recovery.wipe_and_settle()?;
        recovery.remove_leftovers(oldest)?;
    }
    recovery.segments.retain(|segment| segment.number >= oldest);
    Ok(Recovered { segments: recovery.segments, end: recovery.end, oldest })
}

impl Recovery<'_> {
    fn check_numbers(&self) -> Result<()> {
        let Some(first) = self.numbers.first() else { return Err(missing(FIRST_SEGMENT)) };
        for (expected, number) in (*first..).zip(&self.numbers) {
            if expected != *number {
                return Err(missing(expected));
            }
        }
        Ok(())
    }

    fn open(&self, number: u32) -> Result<std::sync::Arc<dyn File>> {
        self.storage.open(&name_of(number))?.ok_or_else(|| missing(number))
    }

    /// The first segment worth reading: those before were given up already. Only a whole batch is
    /// believed, and only the first of a segment, because all before it was durable.
    fn first_needed(&self) -> Result<u32> {
        let first = self.numbers[0];
        for number in self.numbers.iter().rev() {
            let file = self.open(*number)?;
            let length = length_of(*number, &*file)?;
            let mut scanner = Scanner::new(&*file, *number, length, self.seed, self.options);
            if let Ok(batch) = scanner.next_batch()? {
                return Ok(first.max(batch.header.oldest));
            }
        }
        Ok(first)
    }

    fn replay_all(&mut self, replay: Replay<'_>) -> Result<()> {
        let first = self.first_needed()?;
        self.end = Lsn::new(first, 0);
        for number in first..=self.numbers[self.numbers.len() - 1] {
            let file = self.open(number)?;
            let segment_bytes = length_of(number, &*file)?;
            let used = self.replay_segment(number, &*file, segment_bytes, replay)?;
            // Nothing was written there yet. Only the first one may be empty in the middle, when
            // the first record of the folder was too long for it.
            if used == 0 && number != first {
                break;
            }
            self.end = Lsn::new(number, used);
            self.segments.push(Segment { number, bytes: segment_bytes, used });
        }
        Ok(())
    }

    /// Replays one segment; answers how much of it holds good batches.
    fn replay_segment(
        &mut self,
        number: u32,
        file: &dyn File,
        segment_bytes: u32,
        replay: Replay<'_>,
    ) -> Result<u32> {
        let follows = (!self.segments.is_empty()).then_some(self.end);
        let mut scanner = Scanner::new(file, number, segment_bytes, self.seed, self.options);
        while let Ok(batch) = scanner.next_batch()? {
            if let Some(end) = follows.filter(|_| batch.header.lsn.offset() == 0) {
                check_follows(&batch.header, end)?;
            }
            for (lsn, payload) in batch.records() {
                replay(lsn, payload)?;
            }
            self.last = Some(batch.header);
        }
        Ok(scanner.end().offset())
    }

    /// Looks behind the end for proof of damage, and for frames that have to be wiped.
    fn search_behind_end(&mut self) -> Result<()> {
        let end = self.end;
        for number in end.segment()..=self.numbers[self.numbers.len() - 1] {
            let file = self.open(number)?;
            let segment_bytes = length_of(number, &*file)?;
            let from = if number == end.segment() { end.offset() } else { 0 };
            let mut scanner = Scanner::new(&*file, number, segment_bytes, self.seed, self.options);
            scanner.skip_to(from);
            let mut places = Vec::new();
            scanner.search_rest(&mut |offset, header| {
                places.push(Lsn::new(number, offset));
                if header.is_some_and(|header| header.synced > end) {
                    let why = "a batch that was durable is damaged or missing";
                    return Err(damaged(end.segment(), end.offset(), why));
                }
                if let Some(header) = header.filter(|it| it.segment_bytes != segment_bytes) {
                    let why = format!("the file had {} bytes before", header.segment_bytes);
                    return Err(damaged(number, segment_bytes, &why));
                }
                Ok(())
            })?;
            self.stale_headers.append(&mut places);
        }
        Ok(())
    }

    /// The oldest segment that is needed, which has to be there.
    fn oldest(&self) -> Result<u32> {
        let first = self.numbers[0];
        match &self.last {
            Some(last) if last.oldest < first => Err(missing(last.oldest)),
            Some(last) => Ok(last.oldest),
            None if first == FIRST_SEGMENT => Ok(first),
            None => Err(damaged(first, 0, "no batch is left in it")),
        }
    }

    /// Wipes the frames behind the end, and makes durable what was only believed so far.
    fn wipe_and_settle(&self) -> Result<()> {
        if !self.options.has(Mutant::KeepTornTail) {
            let mut touched: Option<(u32, std::sync::Arc<dyn File>)> = None;
            for stale in &self.stale_headers {
                let number = stale.segment();
                if touched.as_ref().is_none_or(|(other, _)| *other != number) {
                    self.sync(touched.take())?;
                    touched = Some((number, self.open(number)?));
                }
                if let Some((_, file)) = &touched {
                    file.write_at(u64::from(stale.offset()), &[0u8; HEADER_BYTES])?;
                }
            }
            self.sync(touched)?;
        }
        let Some(last) = &self.last else { return Ok(()) };
        let file = self.open(self.end.segment())?;
        let settled = last.synced.max(Lsn::new(self.end.segment(), 0));
        if !self.options.has(Mutant::SkipRewriteAtRecovery) {
            rewrite(&*file, settled.offset(), self.end.offset())?;
        }
        self.sync(Some((self.end.segment(), file)))
    }

    fn sync(&self, touched: Option<(u32, std::sync::Arc<dyn File>)>) -> Result<()> {
        match touched {
            Some((_, file)) if !self.options.has(Mutant::SkipSyncAtRecovery) => file.sync_data(),
            _ => Ok(()),
        }
    }

    /// Removes what a crash left behind: drafts, and segments that were given up.
    fn remove_leftovers(&self, oldest: u32) -> Result<()> {
        let names = self.storage.list()?;
        let drafts = [DRAFT_NAME, SUPERBLOCK_DRAFT_NAME];
        let mut removed = false;
        for draft in drafts.iter().filter(|draft| names.iter().any(|name| name == *draft)) {
            self.storage.remove(draft)?;
            removed = true;
        }
        for number in self.numbers.iter().filter(|number| **number < oldest) {
            self.storage.remove(&name_of(*number))?;
            removed = true;
            // Oldest first, each durable before the next: no gap may ever be seen.
            self.storage.sync_dir()?;
        }
        if removed { self.storage.sync_dir() } else { Ok(()) }
    }
}

fn check_follows(header: &Header, end: Lsn) -> Result<()> {
    if header.synced == end {
        return Ok(());
    }
    let why = format!("the next segment says that it ended at {}", header.synced);
    Err(damaged(end.segment(), end.offset(), &why))
}

/// Writes bytes again that may be known to the page cache only. After a failed sync the system
/// holds them for clean, and a sync alone would not write them.
fn rewrite(file: &dyn File, from: u32, to: u32) -> Result<()> {
    let mut buffer = vec![0u8; limits::BATCH_BYTES_MAX.min((to - from) as usize)];
    let mut at = from;
    while at < to {
        let wanted = buffer.len().min((to - at) as usize);
        let count = file.read_at(u64::from(at), &mut buffer[..wanted])?;
        if count == 0 {
            break;
        }
        file.write_at(u64::from(at), &buffer[..count])?;
        at += count as u32;
    }
    Ok(())
}
