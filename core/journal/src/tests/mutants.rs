//! Mutation checks: the crash checker finds every deliberate defect of the journal.

use std::panic::catch_unwind;

use super::checker::check_seed;
use crate::mutant::Mutant;

/// Number of seeds before a mutant counts as not caught.
const SEEDS_MAX: u64 = 1_500;

/// The seed that caught the mutant, and the violation.
fn caught(mutant: Mutant) -> Option<(u64, String)> {
    (0..SEEDS_MAX).find_map(|seed| match catch_unwind(|| check_seed(seed, Some(mutant))) {
        Ok(Ok(_)) => None,
        Ok(Err(violation)) => Some((seed, violation)),
        Err(_) => Some((seed, "an assertion of the journal failed".to_owned())),
    })
}

macro_rules! caught {
    ($($name:ident: $mutant:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let Some((seed, violation)) = caught(Mutant::$mutant) else {
                panic!("{:?} lived through {SEEDS_MAX} seeds", Mutant::$mutant);
            };
            println!("{:?} was caught by seed {seed}: {violation}", Mutant::$mutant);
        }
    )*};
}

caught! {
    a_sync_left_out_is_caught: SkipSync,
    an_acknowledgement_before_the_sync_is_caught: AckBeforeSync,
    a_segment_left_without_a_sync_is_caught: SkipSyncAtRotation,
    a_rename_before_its_sync_is_caught: RenameBeforeSync,
    a_folder_that_is_not_synced_is_caught: ForgetSyncDir,
    a_checksum_not_looked_at_is_caught: SkipChecksum,
    a_stale_frame_taken_for_a_new_one_is_caught: AcceptStaleFrames,
    a_chain_not_compared_is_caught: SkipChain,
    a_position_noted_before_the_sync_is_caught: NoteBeforeSync,
    a_recovery_that_does_not_sync_is_caught: SkipSyncAtRecovery,
    a_segment_reclaimed_too_early_is_caught: ReclaimEarly,
}
