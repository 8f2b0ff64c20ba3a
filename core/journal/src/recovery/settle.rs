//! Prepares a recovered journal for appends: everything that was replayed becomes durable, a new
//! epoch begins, and leftovers are removed.

use trunkline_types::Result;

use super::Recovery;
use crate::checkpoint;
use crate::control::{CONTROL_DRAFT_NAME, Control, ControlState};
use crate::limits;
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::segment::{DRAFT_NAME, name_of};
use crate::storage::File;
use crate::superblock::{FORMAT_VERSION, SUPERBLOCK_DRAFT_NAME, SUPERBLOCK_NAME, Superblock};

impl Recovery<'_> {
    /// Returns the control file, which holds `state` under a new epoch. A folder of format 1 gets
    /// its control file and then its new superblock here.
    pub(super) fn prepare_for_appends(
        &self,
        control: Option<Control>,
        state: ControlState,
        superblock: &Superblock,
    ) -> Result<Control> {
        // IMPORTANT: a process that was killed may have created names that only the page cache
        // knows. From here on they count as durable.
        if !self.options.has(Mutant::ForgetSyncDir) {
            self.storage.sync_dir()?;
        }
        self.make_durable()?;
        let control = match control {
            Some(mut control) => {
                let epoch = control.state().epoch + 1;
                control.store(ControlState { epoch, ..state })?;
                control
            }
            None => {
                let control = Control::create(self.storage, self.options, self.seed, state)?;
                let current = Superblock { version: FORMAT_VERSION, ..*superblock };
                current.store(self.storage, self.options)?;
                self.storage.claim(SUPERBLOCK_NAME)?;
                control
            }
        };
        self.remove_leftovers(state.oldest)?;
        Ok(control)
    }

    /// Makes the replayed bytes durable that the control file does not call durable.
    pub(super) fn make_durable(&self) -> Result<()> {
        let Some(last) = &self.last else { return Ok(()) };
        let noted = self.state.map_or(Lsn::default(), |state| state.durable.end);
        if noted == self.end {
            return Ok(());
        }
        let file = self.open(self.end.segment())?;
        let durable = last.synced.max(noted).max(Lsn::new(self.end.segment(), 0));
        if !self.options.has(Mutant::SkipRewriteAtRecovery) {
            rewrite(&*file, durable.offset(), self.end.offset())?;
        }
        if self.options.has(Mutant::SkipSyncAtRecovery) {
            return Ok(());
        }
        file.sync_data()
    }

    /// Removes drafts, and segments that were reclaimed.
    fn remove_leftovers(&self, oldest: u32) -> Result<()> {
        let names = self.storage.list()?;
        let drafts =
            [DRAFT_NAME, SUPERBLOCK_DRAFT_NAME, CONTROL_DRAFT_NAME, checkpoint::DRAFT_NAME];
        let mut removed = false;
        for draft in drafts.iter().filter(|draft| names.iter().any(|name| name == *draft)) {
            self.storage.remove(draft)?;
            removed = true;
        }
        for number in self.numbers.iter().filter(|number| **number < oldest) {
            self.storage.remove(&name_of(*number))?;
            removed = true;
        }
        if removed { self.storage.sync_dir() } else { Ok(()) }
    }
}

/// Writes bytes again that may be in the page cache only. After a failed sync the system takes them
/// for clean, and a sync alone would not write them.
fn rewrite(file: &dyn File, from: u32, to: u32) -> Result<()> {
    let mut buffer = vec![0u8; limits::COPY_BYTES.min((to - from) as usize)];
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
