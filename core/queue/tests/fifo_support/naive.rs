//! The obvious FIFO queue: a list of messages, everything computed by looking at all of them.

use trunkline_queue::FifoRules;

#[derive(Debug, Clone)]
pub struct Message {
    pub seq: u64,
    pub group: u8,
    pub sent: u64,
    pub deliveries: u32,
    pub first_received: u64,
    /// The end of the lease.
    pub due: Option<u64>,
    /// The lease was changed since the delivery.
    pub changed: bool,
}

/// Id, time, and the number and count of each delivery.
pub type Attempt = (String, u64, Vec<(u64, u32)>);

#[derive(Debug)]
pub struct Naive {
    pub rules: FifoRules,
    /// In order of `seq`.
    pub messages: Vec<Message>,
    pub dedup: Vec<(u128, u64, u64)>,
    pub attempts: Vec<Attempt>,
    pub next_seq: u64,
    /// Groups that can deliver, with a stamp of when they became able to. Groups of one stamp may
    /// be in any order.
    pub ready: Vec<(u8, u64)>,
    stamp: u64,
}

impl Naive {
    pub fn new(rules: FifoRules) -> Self {
        Self {
            rules,
            messages: Vec::new(),
            dedup: Vec::new(),
            attempts: Vec::new(),
            next_seq: 1,
            ready: Vec::new(),
            stamp: 0,
        }
    }

    pub fn is_delayed(&self, message: &Message, now: u64) -> bool {
        message.due.is_none() && message.deliveries == 0 && message.sent + self.rules.delay > now
    }

    pub fn is_visible(&self, message: &Message, now: u64) -> bool {
        message.due.is_none() && !self.is_delayed(message, now)
    }

    pub fn get(&self, seq: u64) -> Option<&Message> {
        self.messages.iter().find(|message| message.seq == seq)
    }

    pub fn get_mut(&mut self, seq: u64) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.seq == seq)
    }

    /// Looks again which groups can deliver. New ones get one stamp together.
    pub fn refresh(&mut self, now: u64) {
        let mut firsts: Vec<&Message> = Vec::new();
        for message in &self.messages {
            if firsts.iter().all(|first| first.group != message.group) {
                firsts.push(message);
            }
        }
        let able: Vec<u8> = firsts
            .iter()
            .filter(|message| self.is_visible(message, now))
            .map(|message| message.group)
            .collect();
        self.ready.retain(|(group, _)| able.contains(group));
        self.stamp += 1;
        for group in able {
            if self.ready.iter().all(|(ready, _)| *ready != group) {
                self.ready.push((group, self.stamp));
            }
        }
    }

    /// The group had its turn.
    pub fn rotate(&mut self, group: u8) {
        self.stamp += 1;
        if let Some(place) = self.ready.iter().position(|(ready, _)| *ready == group) {
            self.ready.remove(place);
            self.ready.push((group, self.stamp));
        }
    }

    /// What became due from the last time until `now`, moment by moment.
    pub fn advance(&mut self, from: u64, now: u64) -> Vec<u64> {
        let mut moments: Vec<u64> = Vec::new();
        for message in &self.messages {
            moments.push(message.sent + self.rules.retention);
            moments.push(message.sent + self.rules.delay);
            moments.extend(message.due);
        }
        moments.retain(|moment| (from..=now).contains(moment));
        moments.push(now);
        moments.sort_unstable();
        moments.dedup();
        let mut expired = Vec::new();
        for moment in moments {
            let retention = self.rules.retention;
            let old = |message: &&Message| message.sent + retention <= moment;
            let mut gone: Vec<_> = self
                .messages
                .iter()
                .filter(old)
                .map(|message| (message.sent, message.seq))
                .collect();
            gone.sort_unstable();
            // One after the other: a group whose next message is in flight loses its turn.
            for (_, seq) in gone {
                self.messages.retain(|message| message.seq != seq);
                self.refresh(moment);
                expired.push(seq);
            }
            for message in &mut self.messages {
                message.due = message.due.filter(|due| *due > moment);
            }
            self.refresh(moment);
        }
        expired
    }

    /// Messages and dead letters of the next receive, by number. `seen` says in which order groups
    /// of one stamp are to be taken.
    pub fn next(
        &self,
        max: usize,
        dead_after: Option<u32>,
        now: u64,
        seen: impl Fn(u8) -> usize,
    ) -> (Vec<u64>, Vec<u64>) {
        let mut ready = self.ready.clone();
        ready.sort_by_key(|(group, stamp)| (*stamp, seen(*group)));
        let (mut picked, mut dead) = (Vec::new(), Vec::new());
        for (group, _) in ready {
            for message in self.messages.iter().filter(|message| message.group == group) {
                if picked.len() == max || !self.is_visible(message, now) {
                    break;
                }
                if dead_after.is_some_and(|after| message.deliveries >= after) {
                    dead.push(message.seq);
                } else {
                    picked.push(message.seq);
                }
            }
        }
        (picked, dead)
    }

    /// The deliveries of an attempt that can be repeated.
    pub fn repeat(&self, id: &str, now: u64) -> Option<(u64, Vec<(u64, u32)>)> {
        let (_, at, made) = self.attempts.iter().rev().find(|(known, _, _)| known == id)?;
        let stands = made.iter().all(|(seq, delivery)| {
            self.get(*seq).is_some_and(|message| {
                message.deliveries == *delivery && message.due.is_some() && !message.changed
            })
        });
        (stands && now < at + self.rules.attempt_window).then(|| (*at, made.clone()))
    }

    pub fn remember_attempt(&mut self, id: &str, now: u64, made: Vec<(u64, u32)>) {
        let window = self.rules.attempt_window;
        self.attempts.retain(|(_, at, _)| now < at + window);
        self.attempts.push((id.to_owned(), now, made));
        while self.attempts.len() > self.rules.in_flight_max as usize {
            self.attempts.remove(0);
        }
    }

    pub fn duplicate(&self, key: u128, now: u64) -> Option<u64> {
        let alive = |at: u64| now < at + self.rules.dedup_window;
        self.dedup.iter().find(|(known, _, at)| *known == key && alive(*at)).map(|entry| entry.1)
    }

    /// Visible, in flight, delayed, groups in flight.
    pub fn counts(&self, now: u64) -> (u64, u64, u64, u64) {
        let count = |is: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|message| is(message)).count() as u64
        };
        let mut groups: Vec<u8> = self
            .messages
            .iter()
            .filter(|message| message.due.is_some())
            .map(|message| message.group)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        (
            count(&|message| self.is_visible(message, now)),
            count(&|message| message.due.is_some()),
            count(&|message| self.is_delayed(message, now)),
            groups.len() as u64,
        )
    }
}
