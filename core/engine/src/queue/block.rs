//! A block: the messages of up to 256 neighbouring numbers in a checkpoint, column by column.
//!
//! ```text
//! block    | queue 4 | number 8 | count 2 | present 32, unless count is 256 | groups 2 |
//!          | length 4, name ... for each group | shared 2 | index 1, payload 8 ... |
//!          | column for each field |
//! column   | base 8 | width 1 | count values of `width` bytes |
//! ```
//!
//! `number` is the number of the messages divided by 256, `present` has a bit for each that is
//! there. A value is added to the base of its column; a column of equal values has the width 0. So
//! a usual message takes three or four bytes, and is decoded in a few nanoseconds: opening ten
//! million of them has 0.3 s.

use trunkline_host::{Put, Take, damaged};
use trunkline_journal::Lsn;
use trunkline_types::{ResourceId, Result, Seq};

use crate::queue::stored::StoredMessage;

/// Numbers of a block.
pub(crate) const BLOCK: u64 = 256;

/// The fields of a message, in the order of their columns.
const COLUMNS: usize = 8;

/// Messages of one block, of one queue.
#[derive(Default)]
pub(crate) struct Block {
    number: u64,
    messages: Vec<(u8, StoredMessage)>,
    groups: Vec<Box<str>>,
    /// The shared payloads of messages.
    shared: Vec<(u8, u64)>,
}

impl Block {
    /// Adds a message with the name of its group and the number of its shared payload; false if it
    /// belongs to another block or comes out of order, and then nothing is added.
    pub fn push(
        &mut self,
        seq: Seq,
        message: StoredMessage,
        group: Option<&str>,
        payload: Option<u64>,
    ) -> bool {
        let (number, index) = (seq / BLOCK, (seq % BLOCK) as u8);
        if let Some((last, _)) = self.messages.last()
            && (number != self.number || index <= *last)
        {
            return false;
        }
        self.number = number;
        let group = match group {
            None => 0,
            Some(group) => self.index_of(group),
        };
        self.messages.push((index, StoredMessage { group, ..message }));
        self.shared.extend(payload.map(|payload| (index, payload)));
        true
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn index_of(&mut self, group: &str) -> u32 {
        let found = self.groups.iter().rposition(|name| **name == *group);
        let index = found.unwrap_or_else(|| {
            self.groups.push(group.into());
            self.groups.len() - 1
        });
        index as u32 + 1
    }

    /// Appends the block's bytes and empties it.
    pub fn take(&mut self, queue: ResourceId, out: &mut Vec<u8>) {
        out.put_u32(queue.0);
        out.put_u64(self.number);
        out.extend_from_slice(&(self.messages.len() as u16).to_le_bytes());
        if self.messages.len() < BLOCK as usize {
            let mut present = [0u8; 32];
            self.messages.iter().for_each(|(index, _)| {
                present[usize::from(index / 8)] |= 1 << (index % 8);
            });
            out.extend_from_slice(&present);
        }
        out.extend_from_slice(&(self.groups.len() as u16).to_le_bytes());
        self.groups.iter().for_each(|group| out.put_bytes(group.as_bytes()));
        out.extend_from_slice(&(self.shared.len() as u16).to_le_bytes());
        for (index, payload) in &self.shared {
            out.put_u8(*index);
            out.put_u64(*payload);
        }
        for column in 0..COLUMNS {
            put_column(out, self.messages.iter().map(|(_, message)| fields(message)[column]));
        }
        self.messages.clear();
        self.groups.clear();
        self.shared.clear();
    }
}

fn fields(message: &StoredMessage) -> [u64; COLUMNS] {
    [
        message.lsn.to_u64(),
        u64::from(message.len),
        message.sent,
        message.due,
        message.first_received,
        u64::from(message.deliveries),
        u64::from(message.flags),
        u64::from(message.group),
    ]
}

fn put_column(out: &mut Vec<u8>, values: impl Iterator<Item = u64> + Clone) {
    let base = values.clone().min().unwrap_or(0);
    let span = values.clone().max().unwrap_or(0) - base;
    let width = match span {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    out.put_u64(base);
    out.put_u8(width as u8);
    if width > 0 {
        values.for_each(|value| out.extend_from_slice(&(value - base).to_le_bytes()[..width]));
    }
}

/// A block as it was read, checked for its shape; its messages are decoded later.
pub(crate) struct PackedBlock {
    bytes: Box<[u8]>,
    count: u16,
}

/// What a section says before its columns.
pub(crate) struct BlockHead<'a> {
    pub queue: ResourceId,
    pub number: u64,
    /// The names of the groups; a message's group is an index into them, plus one.
    pub groups: Vec<&'a str>,
    /// The shared payloads of messages, by the low bits of their numbers.
    pub shared: Vec<(u8, u64)>,
    pub block: PackedBlock,
}

impl PackedBlock {
    /// Reads a section.
    pub fn read(section: &[u8]) -> Result<BlockHead<'_>> {
        let mut take = Take(section);
        let (queue, number) = (ResourceId(take.u32()?), take.u64()?);
        let count = take_u16(&mut take)?;
        if count == 0 || u64::from(count) > BLOCK || number > u64::MAX / BLOCK {
            return Err(damaged("a block of messages of another size"));
        }
        let mut bytes = Vec::with_capacity(32 + take.0.len());
        match u64::from(count) == BLOCK {
            true => bytes.extend_from_slice(&[0xff; 32]),
            false => (0..32).try_for_each(|_| take.u8().map(|byte| bytes.push(byte)))?,
        }
        let present: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
        let names = take_u16(&mut take)?;
        let groups = (0..names).map(|_| take.text()).collect::<Result<Vec<_>>>()?;
        let payloads = take_u16(&mut take)?;
        let shared =
            (0..payloads).map(|_| Ok((take.u8()?, take.u64()?))).collect::<Result<Vec<_>>>()?;
        bytes.extend_from_slice(take.0);
        let mut columns = Columns(&bytes[32..], usize::from(count));
        (0..COLUMNS).try_for_each(|_| columns.next().map(drop).ok_or_else(misshapen))?;
        if present != u32::from(count) || !columns.0.is_empty() {
            return Err(misshapen());
        }
        let block = PackedBlock { bytes: bytes.into(), count };
        Ok(BlockHead { queue, number, groups, shared, block })
    }

    /// How many messages it has.
    pub fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// Calls `each` with every message and the low bits of its number, in order.
    pub fn unpack(&self, mut each: impl FnMut(u8, StoredMessage)) {
        let count = self.count();
        let mut values = [[0u64; BLOCK as usize]; COLUMNS];
        let mut columns = Columns(&self.bytes[32..], count);
        for values in &mut values {
            // The shape was checked when the block was read.
            let Some(column) = columns.next() else { return };
            column.decode(&mut values[..count]);
        }
        let [lsn, len, sent, due, first_received, deliveries, flags, group] = &values;
        let mut at = 0;
        for (byte, present) in self.bytes[..32].iter().enumerate() {
            let mut present = *present;
            while present != 0 && at < count {
                let index = (byte * 8) as u8 + present.trailing_zeros() as u8;
                present &= present - 1;
                let message = StoredMessage {
                    lsn: Lsn::from_u64(lsn[at]),
                    sent: sent[at],
                    due: due[at],
                    first_received: first_received[at],
                    len: len[at] as u32,
                    deliveries: deliveries[at] as u32,
                    group: group[at] as u32,
                    flags: flags[at] as u8,
                };
                each(index, message);
                at += 1;
            }
        }
    }
}

fn take_u16(take: &mut Take<'_>) -> Result<u16> {
    Ok(u16::from(take.u8()?) | u16::from(take.u8()?) << 8)
}

struct Columns<'a>(&'a [u8], usize);

struct Column<'a> {
    base: u64,
    width: usize,
    values: &'a [u8],
}

impl<'a> Columns<'a> {
    fn next(&mut self) -> Option<Column<'a>> {
        let (base, rest) = self.0.split_first_chunk::<8>()?;
        let (width, rest) = rest.split_first()?;
        let width = usize::from(*width);
        if !matches!(width, 0 | 1 | 2 | 4 | 8) {
            return None;
        }
        let (values, rest) = rest.split_at_checked(width * self.1)?;
        self.0 = rest;
        Some(Column { base: u64::from_le_bytes(*base), width, values })
    }
}

impl Column<'_> {
    fn decode(&self, out: &mut [u64]) {
        match self.width {
            1 => self.decode_as::<1>(out),
            2 => self.decode_as::<2>(out),
            4 => self.decode_as::<4>(out),
            8 => self.decode_as::<8>(out),
            _ => out.fill(self.base),
        }
    }

    /// Apart for each width, so that each is a loop without a branch.
    fn decode_as<const WIDTH: usize>(&self, out: &mut [u64]) {
        let (values, _) = self.values.as_chunks::<WIDTH>();
        for (value, out) in values.iter().zip(out) {
            let mut bytes = [0u8; 8];
            bytes[..WIDTH].copy_from_slice(value);
            *out = self.base.wrapping_add(u64::from_le_bytes(bytes));
        }
    }
}

#[cold]
fn misshapen() -> trunkline_types::Error {
    damaged("a block of messages with columns of another length")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn message(number: u64) -> StoredMessage {
        StoredMessage {
            lsn: Lsn::new(3 + (number / 100) as u32, 4_000 + 150 * number as u32),
            sent: 1_900_000_000_000 + number,
            due: if number.is_multiple_of(7) { 1_900_000_030_000 } else { 0 },
            first_received: 0,
            len: 133,
            deliveries: (number % 3) as u32,
            group: 0,
            flags: 0,
        }
    }

    fn pack(seqs: &[u64], group: impl Fn(u64) -> Option<&'static str>) -> Vec<u8> {
        let mut block = Block::default();
        for seq in seqs {
            let payload = seq.is_multiple_of(5).then_some(seq * 10);
            assert!(block.push(*seq, message(*seq), group(*seq), payload));
        }
        let mut bytes = Vec::new();
        block.take(ResourceId(9), &mut bytes);
        assert!(block.is_empty());
        bytes
    }

    #[test]
    fn a_block_survives_its_bytes() {
        let full: Vec<u64> = (512..768).collect();
        for seqs in [&full[..], &full[..1], &full[3..200], &[512, 600, 767]] {
            let bytes = pack(seqs, |_| None);
            let head = PackedBlock::read(&bytes).unwrap();
            assert_eq!((head.queue, head.number, head.groups.len()), (ResourceId(9), 2, 0));
            let named = seqs.iter().filter(|seq| seq.is_multiple_of(5));
            let payloads: Vec<_> = named.map(|seq| ((*seq - 512) as u8, seq * 10)).collect();
            assert_eq!(head.shared, payloads);
            let mut seen = Vec::new();
            head.block.unpack(|index, message| seen.push((512 + u64::from(index), message)));
            let expected: Vec<_> = seqs.iter().map(|seq| (*seq, message(*seq))).collect();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn groups_are_named_once_a_block() {
        let group = |seq| Some(["a", "b"][seq as usize % 2]);
        let bytes = pack(&[512, 513, 514], group);
        let head = PackedBlock::read(&bytes).unwrap();
        assert_eq!(head.groups, ["a", "b"]);
        let mut groups = Vec::new();
        head.block.unpack(|_, message| groups.push(message.group));
        assert_eq!(groups, [1, 2, 1]);
    }

    #[test]
    fn a_message_of_another_block_or_out_of_order_begins_the_next_one() {
        let mut block = Block::default();
        assert!(block.push(300, message(300), None, None));
        assert!(
            !block.push(300, message(300), None, None)
                && !block.push(299, message(299), None, None)
        );
        assert!(!block.push(512, message(512), None, None));
    }

    #[test]
    fn a_usual_message_takes_few_bytes() {
        let mut block = Block::default();
        for seq in 512..768 {
            let usual = StoredMessage { due: 0, deliveries: 0, ..message(0) };
            let lsn = Lsn::new(3, 150 * (seq - 512) as u32);
            assert!(block.push(seq, StoredMessage { lsn, ..usual }, None, None));
        }
        let mut bytes = Vec::new();
        block.take(ResourceId(1), &mut bytes);
        assert!(bytes.len() < 256 * 3, "{} bytes", bytes.len());
    }

    #[test]
    fn bytes_of_another_shape_are_an_error() {
        let bytes = pack(&[512, 513, 700], |_| Some("a"));
        for length in 0..bytes.len() {
            assert!(PackedBlock::read(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(PackedBlock::read(&[&bytes[..], &[0]].concat()).is_err());
    }
}
