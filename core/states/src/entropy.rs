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
