//! Randomness and ids, which come from outside so that an execution can be replayed.

use crate::stimulus::TaskId;

/// Where an execution takes random numbers and tokens from.
pub trait Entropy {
    /// 64 random bits.
    fn random(&mut self) -> u64;

    /// The token of a task that waits for one. The task is scheduled only after this call.
    fn task_token(&mut self, task: TaskId) -> String;

    /// A random UUID (version 4).
    fn uuid(&mut self) -> String {
        let (high, low) = (self.random(), self.random());
        let high = (high & !0xf000) | 0x4000;
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// A random float, at least 0 and less than 1.
    fn unit(&mut self) -> f64 {
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Random numbers that follow from a seed (splitmix64), and tokens with a prefix: for executions in
/// memory.
#[derive(Debug)]
pub struct SeededEntropy {
    state: u64,
    prefix: String,
}

impl SeededEntropy {
    /// Numbers from `seed` on; the tokens of tasks start with `prefix`.
    pub fn new(seed: u64, prefix: impl Into<String>) -> Self {
        Self { state: seed, prefix: prefix.into() }
    }
}

impl Entropy for SeededEntropy {
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn task_token(&mut self, task: TaskId) -> String {
        format!("{}{}", self.prefix, task.0)
    }
}
