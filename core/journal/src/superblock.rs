//! The superblock: it identifies a data folder, its format version and its key. It is the first
//! entry of the journal: the first batch names its checksum as that of its predecessor.
//!
//! It is written last when a folder is created, after the first segment and the control file. So a
//! folder with a superblock has segments or has lost them.
//!
//! ```text
//! | "TRUNKLIN" 8 | version 4 | crc 4 | key 8 + 8 | segment_bytes 4 | zeros 28 |   = 64 bytes
//! ```

use trunkline_types::{Code, Error, IdKey, Result};

use crate::checksum;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::storage::Storage;

/// The version of the format that this code writes.
pub const FORMAT_VERSION: u32 = 2;

/// The oldest version that this code still opens. It goes on in the current one.
pub(crate) const FORMAT_VERSION_MIN: u32 = 1;

pub(crate) const SUPERBLOCK_NAME: &str = "superblock";
/// The superblock of a copy that is not whole yet.
pub(crate) const WITHHELD_NAME: &str = "superblock.withheld";
pub(crate) const SUPERBLOCK_DRAFT_NAME: &str = "superblock.draft";

const MAGIC: &[u8; 8] = b"TRUNKLIN";

/// Bytes of the superblock.
pub const SUPERBLOCK_BYTES: usize = 64;

/// The identity of a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Superblock {
    /// The version of the format.
    pub version: u32,
    /// The key of ids and receipts, and the seed of all checksums.
    pub key: IdKey,
    /// Length of a full-size segment when the folder was created. Informational.
    pub segment_bytes: u32,
}

impl Superblock {
    /// The superblock as bytes.
    pub fn encode(&self) -> [u8; SUPERBLOCK_BYTES] {
        let mut bytes = [0u8; SUPERBLOCK_BYTES];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.key.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.key.1.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.segment_bytes.to_le_bytes());
        let crc = checksum(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a superblock. Accepts any bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let word = |at: usize| {
            bytes
                .get(at..at + 4)
                .map(|part| u32::from_le_bytes([part[0], part[1], part[2], part[3]]))
        };
        let (Some(version), true) = (word(8), bytes.starts_with(MAGIC)) else {
            return Err(Error::new(
                Code::ForeignFormat,
                "file superblock is not Trunkline's; give the path of another folder",
            ));
        };
        // Before the checksum: a newer version may have put it elsewhere.
        if version > FORMAT_VERSION {
            return Err(Error::new(
                Code::NewerFormat,
                format!(
                    "the data folder has format version {version}, this Trunkline knows up to \
                     {FORMAT_VERSION}; install a newer Trunkline"
                ),
            ));
        }
        let whole: Option<&[u8; SUPERBLOCK_BYTES]> = bytes.try_into().ok();
        match whole {
            Some(whole) if version >= FORMAT_VERSION_MIN && word(12) == Some(checksum(whole)) => {
                let long = |at: usize| {
                    u64::from(word(at).unwrap_or(0)) | u64::from(word(at + 4).unwrap_or(0)) << 32
                };
                let key = IdKey(long(16), long(24));
                Ok(Self { version, key, segment_bytes: word(32).unwrap_or(0) })
            }
            _ => Err(Error::new(
                Code::CorruptJournal,
                "file superblock is damaged; restore the data folder from a copy",
            )),
        }
    }

    /// Its checksum.
    pub fn checksum(&self) -> u32 {
        let bytes = self.encode();
        u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]])
    }

    /// What the first batch names as its predecessor: the checksum of the superblock in the version
    /// that is written. An opening for writing stores that version before the first batch.
    pub(crate) fn first_link(&self) -> u32 {
        Superblock { version: FORMAT_VERSION, ..*self }.checksum()
    }

    /// Reads the superblock of a folder; `None` when it has none.
    pub fn load(storage: &dyn Storage) -> Result<Option<Self>> {
        let Some(file) = storage.open(SUPERBLOCK_NAME)? else { return Ok(None) };
        // One byte more, so that a file that is too long is seen to be.
        let mut bytes = [0u8; SUPERBLOCK_BYTES + 1];
        let count = file.read_at(0, &mut bytes)?;
        Self::decode(&bytes[..count]).map(Some)
    }

    /// Writes the superblock atomically: after a crash it is there as a whole, or not at all.
    pub(crate) fn store(&self, storage: &dyn Storage, options: &Options) -> Result<()> {
        let file = storage.create(SUPERBLOCK_DRAFT_NAME)?;
        file.write_at(0, &self.encode())?;
        if !options.has(Mutant::RenameBeforeSync) {
            file.sync_data()?;
        }
        storage.rename(SUPERBLOCK_DRAFT_NAME, SUPERBLOCK_NAME)?;
        // IMPORTANT: without this the new name may vanish in a crash, and the folder with it.
        if !options.has(Mutant::ForgetSyncDir) {
            storage.sync_dir()?;
        }
        Ok(())
    }
}

/// Renames the superblock of a folder, so that it cannot be opened before [`complete`]. For copies
/// in the making. No journal may have the folder open.
pub fn withhold(storage: &dyn Storage) -> Result<()> {
    storage.rename(SUPERBLOCK_NAME, WITHHELD_NAME)?;
    storage.sync_dir()
}

/// Restores the superblock that [`withhold`] renamed.
pub fn complete(storage: &dyn Storage) -> Result<()> {
    storage.rename(WITHHELD_NAME, SUPERBLOCK_NAME)?;
    storage.sync_dir()
}

fn checksum(bytes: &[u8; SUPERBLOCK_BYTES]) -> u32 {
    checksum::append(checksum::of(&bytes[..12]), &bytes[16..])
}
