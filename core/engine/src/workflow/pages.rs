//! Pages of histories, and the tokens that name the next one.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trunkline_types::IdKey;
use trunkline_types::sync::lock;
use trunkline_workflow::Fault;

use super::visibility::HistoryRange;
use super::{DecisionTask, Domain, Outcome};

/// A page of a history that is still to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage {
    /// The history.
    pub range: HistoryRange,
    /// The first event that is shown at all.
    pub first: u64,
    /// The event that the page begins with.
    pub at: u64,
    /// Whether the newest come first.
    pub reverse: bool,
    /// Of a history that a decision task came with: the event that scheduled the task, and the one
    /// that started the task before it.
    pub task: Option<(u64, u64)>,
}

const NUMBERS: usize = 8;

impl HistoryPage {
    /// The first page of a history from an event on.
    pub fn first(range: HistoryRange, first: u64, reverse: bool) -> Self {
        let at = if reverse { range.last } else { first };
        Self { range, first, at, reverse, task: None }
    }

    fn encode(&self, domain: u32, key: IdKey) -> String {
        let HistoryPage { range, first, at, reverse, task } = self;
        let (scheduled, previous) = task.map_or((0, 0), |(event, before)| (event, before + 1));
        let numbers: [u64; NUMBERS] = [
            u64::from(domain) << 32 | u64::from(range.number),
            range.newest,
            range.last,
            *first,
            *at,
            u64::from(*reverse),
            scheduled,
            previous,
        ];
        let plain: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let proof = key.digest(&[b"history page", &plain]);
        BASE64_URL_SAFE_NO_PAD.encode([&plain[..], &proof.to_le_bytes()].concat())
    }

    fn decode(text: &str, domain: u32, key: IdKey) -> Result<Self, Fault> {
        let invalid = || Fault::invalid("Invalid token");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (plain, proof) = bytes.split_first_chunk::<{ NUMBERS * 8 }>().ok_or_else(invalid)?;
        if proof != key.digest(&[b"history page", plain]).to_le_bytes() {
            return Err(invalid());
        }
        let mut numbers = [0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(plain.chunks_exact(8)) {
            *number = bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
        }
        let [place, newest, last, first, at, reverse, scheduled, previous] = numbers;
        if place >> 32 != u64::from(domain) {
            return Err(invalid());
        }
        let range = HistoryRange { number: place as u32, newest, last };
        let task = (scheduled > 0).then(|| (scheduled, previous - 1));
        Ok(Self { range, first, at, reverse: reverse != 0, task })
    }
}

impl Domain {
    /// The page that a token names.
    pub fn history_page(&self, token: &str) -> Outcome<HistoryPage> {
        self.check_readable()?;
        Ok(HistoryPage::decode(token, self.id.0, self.host.key)?)
    }

    /// Up to `size` events of a page as JSON texts, and the token of the next page.
    pub fn read_page(
        &self,
        page: &HistoryPage,
        size: u64,
    ) -> Outcome<(Vec<String>, Option<String>)> {
        let size = size.max(1);
        let (first, last) = match page.reverse {
            true => (page.first.max(page.at.saturating_sub(size - 1)), page.at),
            false => (page.at, page.range.last.min(page.at.saturating_add(size - 1))),
        };
        let mut events = self.events(page.range, (first, last))?;
        if !page.reverse {
            events.reverse();
        }
        let next = match page.reverse {
            true => (first > page.first).then(|| first - 1),
            false => (last < page.range.last).then(|| last + 1),
        };
        let token = next.map(|at| HistoryPage { at, ..*page }.encode(self.id.0, self.host.key));
        Ok((events, token))
    }

    /// The decision task that a page of a history came with, as long as its decider has it.
    pub fn task_of_page(&self, page: &HistoryPage) -> Outcome<DecisionTask> {
        let (scheduled, previous_started) =
            page.task.ok_or_else(|| Fault::invalid("Invalid token"))?;
        let number = page.range.number;
        let table = lock(&self.table);
        let kept = table.executions.get(&number);
        let execution = kept.map(|kept| &kept.execution);
        let execution = execution.ok_or_else(|| Fault::unknown("execution"))?;
        Ok(DecisionTask {
            token: self.token(trunkline_workflow::TaskKind::Decision, number, scheduled),
            scheduled,
            execution: execution.id.clone(),
            workflow_type: execution.workflow_type.clone(),
            started: page.range.last,
            previous_started,
            history: page.range,
        })
    }
}
